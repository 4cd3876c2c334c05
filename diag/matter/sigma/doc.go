// Package sigma is the certificate-authenticated session establishment of
// Matter, CASE (Core 4.14.2): from the operational certificates of two nodes of
// one fabric to the keys of a session. "case" is a keyword of Go; its messages
// are called Sigma.
//
//	initiator                                             responder
//	Sigma1 (random, destination id, ephemeral key) ──────▶
//	   ◀──────── Sigma2 (random, ephemeral key, encrypted certificates and signature)
//	Sigma3 (encrypted certificates and signature) ───────▶
//	   ◀─────────────────────────────────────── StatusReport: session established
//
// Two nodes that had a session may resume it, with less work and no
// certificates. A responder that can't goes on with Sigma2:
//
//	Sigma1 (… resumption id, MIC) ───────────────────────▶
//	   ◀────────────────────────────────────── Sigma2_Resume (new resumption id, MIC)
//	StatusReport: session established ───────────────────▶
//
// Who the peer is, is always verified: its chain up to the root of our fabric,
// the fabric id, for the initiator the node id it asked for, and the signature
// by the key of its certificate over both ephemeral keys. Nothing in this
// package leaves a part of that out; there is nothing to configure, and tests
// can replace our own random numbers and signature only. A resumed peer is the
// one that was verified when the secret was made.
//
// What the standard does not protect: a StatusReport, and in a resumption the
// session ids and session parameters, which no MIC covers. Who changes or forges
// those gets two parties that do not understand each other, and no key. That the
// peer has the keys, too, is sure with its first message that they open.
//
// Both roles are machines without socket, clock or goroutine: a payload goes
// into Receive, and what is to be sent comes out. A machine that failed stays
// failed, and gives a StatusReport for the peer where the peer can make use of
// one. The payloads are hashed as they came, never encoded again.
//
// The reader is above cert and fabric, which know who we are and whom to
// trust, and below whoever carries the messages (package transport, or a
// simulated node).
package sigma
