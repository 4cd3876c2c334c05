// Package ecjpake is EC-JPAKE over P-256 with SHA-256, the password-
// authenticated key exchange of Thread's commissioning (draft-cragie-tls-
// ecjpake-01, RFC 8235 for the proofs), in the encodings that TLS carries:
//
//	client                                          server
//	RoundOne   X1 X2 ──── ClientHello, extension 256 ────▶ ReadRoundOne
//	ReadRoundOne   ◀───── ServerHello, extension 256 ───── RoundOne  X3 X4
//	ReadRoundTwo   ◀───── ServerKeyExchange ────────────── RoundTwo  Xs
//	RoundTwo   Xc ─────── ClientKeyExchange ─────────────▶ ReadRoundTwo
//	Premaster = SHA-256(K.x) on both sides, equal if the passwords are
//
//	ECPoint          = 1 octet length (65) ‖ uncompressed point
//	ECSchnorrZKP     = ECPoint V ‖ 1 octet length ‖ r (big-endian, 1 to 32 octets)
//	ECJPAKEKeyKP     = ECPoint X ‖ ECSchnorrZKP
//	round one        = ECJPAKEKeyKP ‖ ECJPAKEKeyKP
//	round two        = ECJPAKEKeyKP, the server's after ECParameters 03 0017
//
// An [Exchange] is pure: octets in, octets out. A wrong password is not noticed
// here; the two sides get different premaster secrets. Arithmetic on secrets is
// in constant time (filippo.io/nistec, filippo.io/bigmod).
//
// The reader is below diag/tmf/dtls, whose handshake carries the four messages.
package ecjpake
