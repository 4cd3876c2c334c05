package cert

import "crypto/ecdsa"

// A Peer is a node as its certificates prove it, once the holder of PublicKey
// has shown that it has the private key too (with [Verify]).
type Peer struct {
	FabricID  uint64           // of the fabric that the root stands for, never 0
	NodeID    uint64           // in the operational range, 1 to 0xFFFFFFEFFFFFFFFF
	CATs      []uint32         // CASE authenticated tags (Core 6.5.6): identifier<<16 | version
	PublicKey *ecdsa.PublicKey // P-256
}
