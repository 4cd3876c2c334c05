// Package icd finds out why a sleepy Matter device did not come back, from
// what was observed around it.
//
// A [Timeline] holds observations: who saw what, when. [Evaluate] walks a chain
// of ten links through them, from "it has booted" to "a press arrives at the
// controller", says of each link whether it was seen to hold, seen to be
// broken, or is not known, and concludes a [Verdict]: the first broken link,
// who is responsible for it, what may still happen by itself and until when,
// which causes remain, and the one experiment that would tell them apart.
//
// Three rules hold everywhere. Nothing is assumed: a link without an
// observation is unknown, and a link is called broken only by a witness who
// could have seen it hold. Silence is no proof: a cause that rests on the
// absence of something is never more than possible where the observer could not
// have heard it. And causes that look the same from outside stay together.
//
// Evaluate is pure: the same observations give the same verdict, in whatever
// order they are read, and clocks of observers may differ by some seconds.
//
// The reader is above package diag and beside the sources: what records
// observations (a listener, a canary on the device, a border router's answers)
// and what prints verdicts are elsewhere.
package icd
