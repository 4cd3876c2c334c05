// Package mrp keeps the sessions and exchanges of one Matter endpoint in order:
// the Message Reliability Protocol and what is around it (Core 4.10 to 4.12).
//
// A [Machine] is driven and owns no socket, clock or goroutine: give it what
// came with [Machine.Receive], call [Machine.Tick] when [Machine.Next] has come,
// and after each call send [Machine.Datagrams] and look at [Machine.Events].
//
//	datagrams, now ─▶ Machine ─▶ datagrams, messages in exchanges, next deadline
//
// What it promises:
//   - A message is delivered once. Duplicates are acknowledged again, since the
//     acknowledgement was lost, and not delivered.
//   - A message is repeated as the very same octets, never sealed again with an
//     old counter: that would use a nonce twice.
//   - Whatever a peer sends, memory is bounded: inboxes, exchanges that peers
//     open, and sessions that strangers begin have limits. What finds no room is
//     neither acknowledged nor marked as seen, so that its sender repeats it.
//   - A session follows the address of its peer's newest authentic message.
//
// The reader is above package message (headers and seals) and below
// diag/matter/transport, which adds the socket.
package mrp
