package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"threadmap/cmd/threadmap/internal/writefile"
	"threadmap/diag/matter/fabric"
)

// Bounds of the files of threadmap's own Matter fabric.
const (
	maxFabricFile = 8 << 10
	maxNodesFile  = 1 << 20
	maxNodes      = 1000
	maxNodeText   = 256 // of one value, in bytes
)

var nodesDocument = document{"threadmap-matter-nodes", 1, maxNodesFile}

// FabricFile is where threadmap's own Matter fabric is: its certificates and
// private keys. Nothing else has them.
func (s *Store) FabricFile() string { return filepath.Join(s.Config, "matter-fabric.json") }

// NodesFile is where the nodes of that fabric are.
func (s *Store) NodesFile() string { return filepath.Join(s.Config, "matter-nodes.json") }

// Fabric is threadmap's own Matter fabric, nil where there is none yet. A file
// that is damaged is never replaced: who has lost the keys can't speak with the
// nodes again. No error of it tells a secret.
func (s *Store) Fabric() (*fabric.Authority, error) {
	f, err := os.Open(s.FabricFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFabricFile+1))
	defer clear(b)
	if err != nil {
		return nil, err
	}
	if len(b) > maxFabricFile {
		return nil, fmt.Errorf("%s %w", s.FabricFile(), damaged("more than %d bytes", maxFabricFile))
	}
	a, err := fabric.Open(b, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s %w (%w): put a copy of it back, or give up its devices with threadmap login remove matter --forget", s.FabricFile(), ErrDamaged, err)
	}
	return a, nil
}

// MakeFabric is Fabric, and makes one where there is none.
func (s *Store) MakeFabric(ctx context.Context) (*fabric.Authority, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if a, err := s.Fabric(); a != nil || err != nil {
		return a, err
	}
	a, err := fabric.New(fabric.Config{})
	if err != nil {
		return nil, err
	}
	b, err := a.File()
	if err != nil {
		return nil, err
	}
	defer clear(b)
	if err := mkdir(s.Config); err != nil {
		return nil, err
	}
	err = writefile.Atomic(s.FabricFile(), writefile.Private, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// RemoveFabric forgets the fabric, its nodes and their sessions.
func (s *Store) RemoveFabric(ctx context.Context) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// The keys go last: without them the other two say nothing.
	for _, f := range []string{s.SessionsFile(), s.NodesFile(), s.FabricFile()} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// A MatterNode is a node of threadmap's own fabric.
type MatterNode struct {
	Node            uint64 // its node id, never 0
	Name            string // what the user calls it; "": nothing
	Label           string // what it calls itself; "": nothing
	Vendor, Product string // "": not known
	// Pending: it may be on the fabric, or not: its pairing was cut short.
	Pending bool
	Added   time.Time
}

type storedNode struct {
	Node    string    `json:"node"` // 16 hex digits
	Name    string    `json:"name,omitempty"`
	Label   string    `json:"label,omitempty"`
	Vendor  string    `json:"vendor,omitempty"`
	Product string    `json:"product,omitempty"`
	Pending bool      `json:"pending,omitempty"`
	Added   time.Time `json:"added,omitzero"`
}

type nodesFile struct {
	Format  string       `json:"format"`
	Version int          `json:"version"`
	Fabric  string       `json:"fabric"` // compressed id, 16 hex digits
	Nodes   []storedNode `json:"nodes"`
}

// Nodes lists the nodes of a fabric, by its compressed id, in the order in which
// they were added.
func (s *Store) Nodes(fabricID uint64) ([]MatterNode, error) {
	b, err := nodesDocument.read(s.NodesFile())
	if b == nil || err != nil {
		return nil, err
	}
	nodes, err := parseNodes(b, fabricID)
	if err != nil {
		return nil, fmt.Errorf("%s %w", s.NodesFile(), err)
	}
	return nodes, nil
}

func parseNodes(b []byte, fabricID uint64) ([]MatterNode, error) {
	var doc nodesFile
	if err := nodesDocument.parse(b, &doc); err != nil {
		return nil, err
	}
	if id, err := parseID(doc.Fabric); err != nil || id != fabricID {
		return nil, damaged("it is of another fabric")
	}
	if len(doc.Nodes) > maxNodes {
		return nil, damaged("more than %d nodes", maxNodes)
	}
	var out []MatterNode
	for i, d := range doc.Nodes {
		id, err := parseID(d.Node)
		if err != nil {
			return nil, damaged("node %d: no node id", i+1)
		}
		n := MatterNode{Node: id, Name: d.Name, Label: d.Label, Vendor: d.Vendor, Product: d.Product, Pending: d.Pending, Added: d.Added}
		if err := n.check(); err != nil {
			return nil, damaged("node %d: %v", i+1, err)
		}
		out = append(out, n)
	}
	return out, nil
}

// parseID reads 16 hex digits.
func parseID(s string) (uint64, error) {
	if len(s) != 16 {
		return 0, errors.New("not 16 hexadecimal digits")
	}
	return strconv.ParseUint(s, 16, 64)
}

func (n MatterNode) check() error {
	if err := checkTexts(maxNodeText, n.Name, n.Label, n.Vendor, n.Product); err != nil {
		return err
	}
	if n.Node == 0 {
		return errors.New("no node id")
	}
	return nil
}

// AddNode keeps a node; what was known of it is replaced. Where a damaged file
// was in the way, aside is the name under which it is kept.
func (s *Store) AddNode(ctx context.Context, fabricID uint64, n MatterNode) (aside string, err error) {
	if err := n.check(); err != nil {
		return "", err
	}
	return s.editNodes(ctx, fabricID, true, func(have []MatterNode) ([]MatterNode, error) {
		if i := slices.IndexFunc(have, func(o MatterNode) bool { return o.Node == n.Node }); i >= 0 {
			have[i] = n
			return have, nil
		}
		if len(have) >= maxNodes {
			return nil, fmt.Errorf("there are %d Matter devices already: remove some with threadmap login remove", maxNodes)
		}
		return append(have, n), nil
	})
}

// RemoveNode forgets a node, and reports whether there was one.
func (s *Store) RemoveNode(ctx context.Context, fabricID, node uint64) (removed bool, err error) {
	_, err = s.editNodes(ctx, fabricID, false, func(have []MatterNode) ([]MatterNode, error) {
		before := len(have)
		have = slices.DeleteFunc(have, func(o MatterNode) bool { return o.Node == node })
		removed = len(have) < before
		return have, nil
	})
	return removed && err == nil, err
}

func (s *Store) editNodes(ctx context.Context, fabricID uint64, renew bool, change func([]MatterNode) ([]MatterNode, error)) (aside string, err error) {
	read := func() ([]MatterNode, error) { return s.Nodes(fabricID) }
	return edit(ctx, s, s.NodesFile(), renew, read, change, func(nodes []MatterNode) any {
		doc := nodesFile{nodesDocument.format, nodesDocument.version, hex16(fabricID), []storedNode{}}
		for _, n := range nodes {
			doc.Nodes = append(doc.Nodes, storedNode{hex16(n.Node), n.Name, n.Label, n.Vendor, n.Product, n.Pending, n.Added})
		}
		return doc
	})
}

func hex16(v uint64) string { return fmt.Sprintf("%016x", v) }
