// Package parent watches a sleepy device through its parent: the router that
// has it as a child knows when it was last heard, since when it is attached, how
// many frames wait for it and how well it is heard, and telling so costs the
// device nothing. The device itself is never asked.
//
// How routers are asked is the caller's: [Config.Ask], for which packages tmf
// and otbr have one each. This package decides whom to ask and when.
//
// The reader is among the observers of diag/icd, beside diag/icd/listen and
// diag/icd/canary; what reports mean is package icd's ([icd.FromReports]).
package parent
