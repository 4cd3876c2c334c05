package spake2p

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"threadmap/diag/internal/p256"
)

// keys is the key schedule of section 3.4 of the draft.
type keys struct{ ka, ke, kcA, kcB [KeyLen]byte }

// schedule computes the keys of a run with shares x and y.
func schedule(t Transcript, x, y, z, v *nistec.P256Point, w0 *bigmod.Nat) *keys {
	h := sha256.New()
	put := func(b []byte) {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(b)))
		h.Write(length[:])
		h.Write(b)
	}
	put(t.Context)
	put(t.IDProver)
	put(t.IDVerify)
	for _, p := range []*nistec.P256Point{pointM, pointN, x, y, z, v} {
		put(p.Bytes())
	}
	w := w0.Bytes(p256.Order)
	put(w)
	clear(w)
	sum := h.Sum(nil)
	defer clear(sum)
	confirm, err := hkdf.Key(sha256.New, sum[:KeyLen], nil, "ConfirmationKeys", 2*KeyLen)
	if err != nil {
		panic(err) // HKDF-SHA256 gives up to 8160 octets
	}
	defer clear(confirm)
	return &keys{
		ka: [KeyLen]byte(sum[:KeyLen]), ke: [KeyLen]byte(sum[KeyLen:]),
		kcA: [KeyLen]byte(confirm[:KeyLen]), kcB: [KeyLen]byte(confirm[KeyLen:]),
	}
}

func (k *keys) wipe() { *k = keys{} }

// confirmProver is cA, which the prover makes of the verifier's share.
func (k *keys) confirmProver(y *nistec.P256Point) [ConfirmLen]byte { return confirm(k.kcA, y) }

// confirmVerifier is cB, which the verifier makes of the prover's share.
func (k *keys) confirmVerifier(x *nistec.P256Point) [ConfirmLen]byte { return confirm(k.kcB, x) }

func confirm(key [KeyLen]byte, share *nistec.P256Point) [ConfirmLen]byte {
	m := hmac.New(sha256.New, key[:])
	m.Write(share.Bytes())
	return [ConfirmLen]byte(m.Sum(nil))
}

func equal(want [ConfirmLen]byte, got []byte) bool {
	return subtle.ConstantTimeCompare(want[:], got) == 1
}
