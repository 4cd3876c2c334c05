// Package matter asks the Matter nodes of threadmap's own fabric what they know
// of their Thread mesh: each router tells whom it hears and how well, each
// child who its parent is (cluster Thread Network Diagnostics, 0x0035).
//
// One probe talks to one node: a session by CASE, resumed where the last one is
// remembered, one read, and goodbye. Nothing is written and nothing is
// subscribed to.
//
// The nodes of one Thread network share a channel of 250 kbit/s with everything
// else in the home. So the probes of a scan share a [Pace] for each network, by
// which the ecosystem's own controllers go: handshakes and reads at most four
// at once, and reads begin 100 ms apart. Which network a node is in is told by
// its address before it is asked; a node of which nothing tells is treated as
// if all such were in one. Nodes that sleep come after those that don't.
//
// The reader is beside the other sources (diag/otbr, diag/tmf). Sessions are
// made by package session, reads by package client, and package cluster knows
// what the answers mean; this package decides whom to ask, what, and when.
package matter
