package cluster

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"threadmap/diag"
)

const credentialsFabrics = 0x0001

// Fields of FabricDescriptorStruct.
const (
	fabricRootPublicKey = 1
	fabricFabricID      = 3
	fabricNodeID        = 4
)

// decodeOperationalCredentials reads the Fabrics of cluster 0x003E: under which
// (fabric, node id) the node is known, so that it can be joined with its
// announcements of "_matter._tcp" and with other controllers' views of it.
func decodeOperationalCredentials(r *reader, rep *diag.Report) {
	val, p := r.value(credentialsFabrics)
	for i, row := range r.list(val, maxFabrics, p.String()+" Fabrics") {
		where := func() string { return fmt.Sprintf("%s Fabrics row %d", p, i+1) }
		fabric, ok1 := row.Field(fabricFabricID).Uint()
		node, ok2 := row.Field(fabricNodeID).Uint()
		key, ok3 := row.Field(fabricRootPublicKey).Octets()
		if !ok1 || !ok2 || !ok3 || node == 0 {
			r.problem("%s lacks RootPublicKey, FabricID or NodeID: left out", where())
			continue
		}
		id, err := CompressedFabricID(key, fabric)
		if err != nil {
			r.problem("%s: %v: left out", where(), err)
			continue
		}
		if m := (diag.MatterID{Fabric: id, Node: node}); !slices.Contains(rep.Matter, m) {
			rep.Matter = append(rep.Matter, m)
		}
	}
}

// CompressedFabricID is the 64-bit name of a fabric in announcements (Core
// 4.3.2.2): HKDF-SHA256 over the root public key, an uncompressed point of 65
// octets, without its first one.
func CompressedFabricID(rootPublicKey []byte, fabricID uint64) (uint64, error) {
	if len(rootPublicKey) != 65 || rootPublicKey[0] != 4 {
		return 0, fmt.Errorf("root public key is no uncompressed point of 65 octets")
	}
	salt := binary.BigEndian.AppendUint64(nil, fabricID)
	b, err := hkdf.Key(sha256.New, rootPublicKey[1:], salt, "CompressedFabric", 8)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}
