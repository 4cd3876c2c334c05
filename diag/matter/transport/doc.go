// Package transport is Matter's message layer on a UDP socket: sessions with
// peers, and exchanges in which one sends and receives.
//
//	e := transport.New(socket, transport.Options{})
//	s := e.Unsecured(peer, parameters) // for a handshake, which finds the keys
//	s, err := e.Secure(transport.Secured{…})
//	x, err := s.Open(ctx)
//	err = x.Send(ctx, protocol, opcode, payload)
//	answer, err := x.Receive(ctx)
//	x.Close()
//
// An [Endpoint] has two goroutines, one that reads and one that waits for the
// next deadline; all decisions are made by package mrp, under one lock. Every
// wait ends: a message that nobody acknowledges by the standard's number of
// repetitions, an acknowledged one without an answer by Options.Response, and
// both earlier by the caller's context. Whatever comes from the network, memory
// stays bounded, see package mrp.
//
// The reader is at the only socket of diag/matter. Above are the handshakes
// (pase, sigma) and the Interaction Model; below are message and message/mrp.
package transport
