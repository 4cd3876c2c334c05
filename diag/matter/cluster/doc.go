// Package cluster turns attribute values of a Matter node into a
// [diag.Report]: Thread Network Diagnostics (0x0035) above all, and the
// clusters that say who the node is, what it runs over and whether it sleeps.
//
// Values arrive as [Value], whatever carried them: the TLV of an Interaction
// Model report ([FromTLV]), or the JSON of Home Assistant's Matter server (subpackage
// wsjson). Clusters, attributes and struct fields are numbers as in the
// Matter specification (data model 1.6); each decoder is one file named after
// its cluster.
//
// A decoder reports facts. It does not guess a missing RLOC16, does not decide
// which byte order of ExtAddress is right, and does not name the node's parent:
// package topology does. A value of the wrong type or outside its range costs
// that one fact and gives a line among the problems; the rest stays.
//
// The reader is between whoever read the node (a source, or package dump) and
// package topology.
package cluster
