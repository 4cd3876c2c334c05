// Package pase is the passcode-authenticated session establishment of Matter
// (Core 4.14.1): from the setup code of a device to the keys of a session.
//
//	initiator (commissioner)                       responder (device)
//	PBKDFParamRequest ────────────────────────────▶
//	   ◀──────────────────────────── PBKDFParamResponse (salt, iterations)
//	Pake1 (pA) ───────────────────────────────────▶
//	   ◀──────────────────────────────────────────── Pake2 (pB, cB)
//	Pake3 (cA) ───────────────────────────────────▶
//	   ◀──────────────────────────────── StatusReport: session established
//
// Both roles are machines without socket, clock or goroutine: a payload goes
// into Receive, and what is to be sent comes out. A machine that failed stays
// failed, and gives a StatusReport for the peer where the peer can make use of
// one. The payloads are hashed as they came, never encoded again.
//
// The reader is above spake2p, which has the mathematics, and below whoever
// carries the messages (package transport, or a simulated device).
package pase
