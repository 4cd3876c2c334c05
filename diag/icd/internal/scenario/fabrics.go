package scenario

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// The device's fabrics: the root's public key is any 65 octets here, only the
// identifier that is derived from it matters.
var (
	hubRoot, ourRoot     = rootKey(7), rootKey(9)
	hubFabric, ourFabric = compressedID(hubRoot, 1), compressedID(ourRoot, 0xFAB)
)

func rootKey(n byte) []byte {
	k := make([]byte, 65)
	for i := range k {
		k[i] = byte(i) * n
	}
	k[0] = 4
	return k
}

// compressedID is HKDF-SHA256 written out (RFC 5869): one block is enough.
func compressedID(root []byte, fabric uint64) string {
	mac := func(key, data []byte) []byte {
		m := hmac.New(sha256.New, key)
		m.Write(data)
		return m.Sum(nil)
	}
	prk := mac(binary.BigEndian.AppendUint64(nil, fabric), root[1:])
	return strings.ToUpper(hex.EncodeToString(mac(prk, append([]byte("CompressedFabric"), 1))[:8]))
}

// fabricsList is attribute Fabrics (0/62/1), by an unfiltered read.
func fabricsList() []map[string]any {
	row := func(root []byte, vendor, fabric, node, index int) map[string]any {
		return map[string]any{"1": base64.StdEncoding.EncodeToString(root), "2": vendor, "3": fabric, "4": node, "5": "", "254": index}
	}
	return []map[string]any{row(hubRoot, 0xFFF1, 1, 0x42, 2), row(ourRoot, 0xFFF1, 0xFAB, 0x42, 3)}
}
