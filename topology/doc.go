// Package topology infers the mesh from reports. It does nothing else: no
// sockets, no clock, no files, so an old snapshot is redrawn by newer rules.
//
// [Build] turns reports into a [Map]: first it learns which names belong to one
// node, then it says things about nodes. Everything in a Map carries the
// [Evidence] it rests on; confidence is computed from that and never stored,
// and claims that disagree are kept as a [Conflict] beside the one believed.
//
// The reader is between package diag (the facts) and packages topology/doctor
// and render (findings and drawings).
package topology
