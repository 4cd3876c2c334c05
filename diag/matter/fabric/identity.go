package fabric

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// CompressedID names a fabric and its root together (Core 4.3.2): HKDF over
// the root's public key without its leading 04, salted with the fabric id in
// big-endian order.
func CompressedID(rootPublicKey [65]byte, fabricID uint64) uint64 {
	salt := binary.BigEndian.AppendUint64(nil, fabricID)
	return binary.BigEndian.Uint64(derive(rootPublicKey[1:], salt, "CompressedFabric", 8))
}

// OperationalIPK is the key that CASE uses, from the epoch key that AddNOC
// carries (Core, operational group key derivation). None gives none.
func OperationalIPK(epoch Key, compressedID uint64) Key {
	if epoch.IsZero() {
		return Key{}
	}
	salt := binary.BigEndian.AppendUint64(nil, compressedID)
	k, err := NewKey(derive(epoch.Bytes(), salt, "GroupKey v1.0", KeySize))
	if err != nil {
		panic(err) // derive gives what it was asked for
	}
	return k
}

// DestinationID is the destination identifier of Sigma1 (Core 4.14.2.4.1). In
// here the ids are little-endian, and the root's public key is whole.
func DestinationID(operationalIPK Key, rootPublicKey [65]byte, initiatorRandom []byte, fabricID, nodeID uint64) (id [32]byte) {
	h := hmac.New(sha256.New, operationalIPK.Bytes())
	h.Write(initiatorRandom)
	h.Write(rootPublicKey[:])
	h.Write(binary.LittleEndian.AppendUint64(nil, fabricID))
	h.Write(binary.LittleEndian.AppendUint64(nil, nodeID))
	h.Sum(id[:0])
	return id
}

// InstanceName is the operational instance name of a node (Core 4.3.2).
func InstanceName(compressedID, nodeID uint64) string {
	return fmt.Sprintf("%016X-%016X", compressedID, nodeID)
}

// derive is HKDF with SHA-256 (Core 3.8).
func derive(secret, salt []byte, info string, n int) []byte {
	b, err := hkdf.Key(sha256.New, secret, salt, info, n)
	if err != nil {
		panic(err) // only for lengths beyond 255 hashes
	}
	return b
}
