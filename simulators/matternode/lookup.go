package matternode

import (
	"context"
	"net/netip"
)

// lookup asks for the addresses of a node of a fabric.
func (n *Node) lookup(life context.Context, compressedFabric, node uint64) ([]netip.AddrPort, error) {
	if n.o.Resolve == nil {
		return nil, errNoResolver
	}
	n.stats.lookups.Add(1)
	ctx, cancel := context.WithTimeout(life, n.o.Resumption.Lookup)
	defer cancel()
	addresses, err := n.o.Resolve(ctx, compressedFabric, node)
	switch {
	case err != nil:
		return nil, err
	case len(addresses) == 0:
		return nil, errNotFound
	}
	return addresses, nil
}
