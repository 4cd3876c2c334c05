package message

import (
	"threadmap/diag/hidden"
)

// Keys are what a session establishment ends in (Core 4.14.1.3.2 and
// 4.14.2.6.6): HKDF with 48 octets of output, in this order. I2R seals what the
// initiator of the establishment sends, R2I what its responder sends.
//
// Keys that are printed, logged or encoded say "(secret)". Package fmt can't
// call the methods of a value in an unexported field: don't print a struct that
// hides Keys in one.
type Keys struct {
	unseen
	I2R, R2I, AttestationChallenge [KeySize]byte
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

// NewKeys cuts 48 octets of key material.
func NewKeys(material [3 * KeySize]byte) Keys {
	return Keys{
		I2R:                  [KeySize]byte(material[:16]),
		R2I:                  [KeySize]byte(material[16:32]),
		AttestationChallenge: [KeySize]byte(material[32:]),
	}
}

// Wipe overwrites the keys.
func (k *Keys) Wipe() { *k = Keys{} }
