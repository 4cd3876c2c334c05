// Package diag is the vocabulary of the product and the way facts are gathered.
//
// A [Report] is what one node was heard to say, by one source, at one time. It
// holds facts only: nothing in it is inferred, and what was not said stays
// unknown ([Opt], nil lists, zero addresses), because a missing RLOC16 read as
// zero would be a real router. Package topology does the inferring.
//
// A [Source] knows one way of asking. [Plan] decides, without touching a
// network, which probes the sources would run; [Collect] runs them side by
// side within their deadlines. Both failures and successes are data: a probe
// that dies leaves the reports it had already made, and a [Problem].
//
// The reader is below every source and above the two codecs: everything that
// asks (diag/otbr, diag/dump, …) and everything that concludes (topology)
// imports this package; it imports no package of this module that does I/O.
package diag
