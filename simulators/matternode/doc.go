// Package matternode simulates Matter devices: each [Node] is one device with a
// UDP socket of its own, which lets itself be commissioned, answers reads,
// reports to subscribers and obeys the commands that a commissioner needs.
//
//	n, err := matternode.New(pc, matternode.FromMesh(view, i), matternode.Options{})
//	defer n.Close()
//
// What a node says of the Thread network comes from the model (simulators/mesh),
// so that a reading of all nodes must give back the mesh. The codecs are those
// of the product (tlv, im, message, the handshakes); which attributes there are
// and what is in them is written here once more, after the data model of Matter
// 1.6 and what connectedhomeip's Thread platform layer does:
//
//   - a full Thread device has a row for each neighbor and router; a minimal one
//     has one row in each table, its parent, and while detached no route table
//     that could be read;
//   - link qualities are 0 to 3, error rates percent, a route's age wraps at
//     256 s, the node's own row has cost 0 and next hop 63;
//   - counters and ages change without a report to subscribers.
//
// [Quirks] are what real devices do otherwise: old cluster revisions, reversed
// addresses, other forms of chunks and headers, sessions that are forgotten,
// silence in the middle. [Sleep] makes the node hear only when it polls.
//
// Node.Reboot switches it off and on. What a device with little power does then,
// by [Resumption] and [RebootOptions], is that of connectedhomeip: it waits for
// the largest MinInterval of its stored subscriptions, asks DNS-SD for each
// subscriber (Options.Resolve), opens a session to it, and reports everything
// under the old subscription id; an answer that is an error ends the
// subscription. Clients that are registered for Check-In messages get one at the
// start and at each wake while they have no subscription.
//
// Nothing here waits on a real clock where the socket does not: on
// simulators/simnet a node lives in virtual time.
//
// The reader is above simulators/mesh and the codecs of diag/matter, and below
// simulators/world.
package matternode
