// Package session gets a secure session with a Matter node over the network:
// CASE with a node of one of our fabrics, PASE with one whose setup code we
// have, and the other side of both for nodes that come to us.
//
//	s, err := session.CASE(ctx, endpoint, session.CASEConfig{Member: …, Node: …, Addresses: …})
//	…                        // package client asks through s
//	s.Close(ctx)
//
// The addresses of a node are raced as in RFC 8305, with manners for a mesh: the
// next one is tried when the last has not even acknowledged for a moment, the
// first answer that proves to be the node's wins, and the others are told that
// nobody goes on with them. A node that is busy is left alone as long as it
// says. Errors are of type [*Error], one line with the stage and what to do.
//
// A node that was restarted forgets its sessions and drops what comes on them
// without a word. [ErrDefunct] is how that looks from here: get a new session,
// by resumption, and ask again, once.
//
// The reader is above sigma and pase, which are the handshakes, and transport,
// which carries them; package client is above.
package session
