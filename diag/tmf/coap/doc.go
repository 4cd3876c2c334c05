// Package coap is the Constrained Application Protocol (RFC 7252) as far as
// Thread management uses it, without sockets, clock and goroutines: [Message]
// is one message, [Endpoint] the schedule of one side: repetitions, message
// ids, tokens, duplicates.
//
// Octets are written and read by github.com/plgd-dev/go-coap. Its client is not
// used: the messages that cross a mesh travel inside of others, through a proxy
// that answers nothing, so they need a schedule of their own, and one that runs
// in virtual time.
//
// The reader is below diag/tmf/meshcop, which runs two Endpoints, one inside of
// the other.
package coap
