// Package halog reads the log of a Matter server of Home Assistant, the Python
// one and the one on matter.js, and says what it tells of one node: when its
// subscription was made and lost, when it reported, whether the server showed it
// as available, and the lines that speak of its sessions.
//
// Both servers write a line for whatever happens, of which only those are
// looked at that name the node: "<Node:12>", "[node 12]", "Peer =
// 01:000000000000000C", "@1:c". The formats are known from logs that users
// published with their bug reports; what is not recognised is passed over. The id
// of a subscription is 0 where the log does not tell it.
//
// It is pure. The reader is among the observers of diag/icd: what the
// observations mean is that package's.
package halog
