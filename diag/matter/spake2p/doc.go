// Package spake2p is SPAKE2+ over P-256 with SHA-256, HKDF and HMAC, as Matter
// uses it to turn a setup code into a session (Matter Core 3.10, draft-bar-cfrg-
// spake2plus-01; RFC 9383 is its successor, with another transcript):
//
//	prover (knows the passcode)                verifier (knows w0 and L)
//	X = x·G + w0·M ─────────────────────────▶
//	            ◀─────────────────────────── Y = y·G + w0·N, cB = HMAC(KcB, X)
//	cA = HMAC(KcA, Y) ──────────────────────▶
//	Z = x·(Y − w0·N)                           Z = y·(X − w0·M)
//	V = w1·(Y − w0·N)                          V = y·L
//
//	w0s ‖ w1s = PBKDF2-HMAC-SHA256(passcode as 4 octets little-endian, salt, iterations, 80)
//	w0 = w0s mod n, w1 = w1s mod n, L = w1·G
//	Ka ‖ Ke   = SHA-256(TT), 16 octets each
//	KcA ‖ KcB = HKDF-SHA256(Ka, "ConfirmationKeys"), 16 octets each
//
// Everything is pure: octets in, octets out. Arithmetic on secrets is in
// constant time (filippo.io/nistec, filippo.io/bigmod), and so are the
// comparisons of the confirmations. A party that has not seen the right
// confirmation of the other gives no key away.
//
// The reader is below diag/matter/pase, whose messages carry X, Y, cA and cB.
package spake2p
