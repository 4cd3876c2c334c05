// Package scenario simulates a sleepy device, its mesh, its border routers and
// its controllers in virtual time, and writes down what observers on each rung
// of the evidence ladder would see. Tests of diag/icd judge the evaluation by
// it, so it is written from the mechanisms (who sends what to whom, and what
// becomes of it) and knows nothing of how verdicts are reached.
//
// The reader is in tests only.
package scenario
