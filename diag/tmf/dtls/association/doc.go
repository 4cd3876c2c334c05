// Package association is one side of a DTLS 1.2 association (RFC 6347) with the
// one cipher suite of Thread's commissioning, TLS_ECJPAKE_WITH_AES_128_CCM_8
// (0xC0FF), as a state machine: datagrams and "the wait is over" go in,
// datagrams, waits and application data come out. It owns no socket, no clock
// and no goroutine.
//
//	client                                                       server
//	ClientHello                     ───────▶                             flight 1
//	                                ◀───────           HelloVerifyRequest       2
//	ClientHello (with the cookie)   ───────▶                                    3
//	                                         ServerHello
//	                                         ServerKeyExchange
//	                                ◀─────── ServerHelloDone                    4
//	ClientKeyExchange
//	ChangeCipherSpec, Finished      ───────▶                                    5
//	                                ◀─────── ChangeCipherSpec, Finished         6
//
// The client drives retransmission: it repeats its flight when a wait is over;
// the server repeats its own only in answer to a repeated flight. Extension 256
// of the two hellos and the two key exchanges carry EC-JPAKE (package ecjpake).
//
// What comes from the network is not trusted: records that are malformed, too
// long, replayed or not authentic are dropped without a word (RFC 6347, section
// 4.1.2.7), all buffers have bounds. As in every DTLS before its Finished,
// somebody who can send from the peer's address can break a handshake, but not
// pass for the peer.
//
// Left out, since no border agent uses it: resumption, renegotiation,
// certificates, encrypt-then-MAC, the extended master secret, sending of
// fragmented handshake messages.
//
// The reader is below package dtls, which adds sockets and time.
package association
