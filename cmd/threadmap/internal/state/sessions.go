package state

import (
	"cmp"
	"context"
	"encoding/hex"
	"path/filepath"
	"slices"

	"threadmap/diag/matter/sigma"
)

const (
	maxSessionsFile = 2 << 20
	maxSessions     = 4 * maxNodes
)

var sessionsDocument = document{"threadmap-matter-sessions", 1, maxSessionsFile}

// SessionsFile is where the records are that resume sessions with Matter nodes.
// They are secrets, and nothing is lost without them but a moment: so they are
// among what is cached.
func (s *Store) SessionsFile() string { return filepath.Join(s.Cache, "matter-sessions.json") }

type storedSession struct {
	Node   string `json:"node"`   // 16 hex digits
	Record string `json:"record"` // hexadecimal, as sigma.Record.Bytes
}

type sessionsFile struct {
	Format   string          `json:"format"`
	Version  int             `json:"version"`
	Fabric   string          `json:"fabric"` // compressed id, 16 hex digits
	Sessions []storedSession `json:"sessions"`
}

// Sessions are the records of a fabric by node id. Whatever can't be read is not
// there.
func (s *Store) Sessions(fabricID uint64) map[uint64]sigma.Record {
	out := map[uint64]sigma.Record{}
	b, err := sessionsDocument.read(s.SessionsFile())
	defer clear(b)
	var doc sessionsFile
	if b == nil || err != nil || sessionsDocument.parse(b, &doc) != nil || len(doc.Sessions) > maxSessions {
		return out
	}
	if id, err := parseID(doc.Fabric); err != nil || id != fabricID {
		return out
	}
	for _, d := range doc.Sessions {
		node, err1 := parseID(d.Node)
		raw, err2 := hex.DecodeString(d.Record)
		record, err3 := sigma.ParseRecord(raw)
		if clear(raw); cmp.Or(err1, err2, err3) == nil && record.Peer().NodeID == node {
			out[node] = record
		}
	}
	return out
}

// SaveSessions puts records in the place of older ones; the zero Record removes
// that of a node.
func (s *Store) SaveSessions(ctx context.Context, fabricID uint64, news map[uint64]sigma.Record) error {
	if len(news) == 0 {
		return nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	have := s.Sessions(fabricID)
	for node, r := range news {
		if r.IsZero() {
			delete(have, node)
		} else {
			have[node] = r
		}
	}
	doc := sessionsFile{sessionsDocument.format, sessionsDocument.version, hex16(fabricID), []storedSession{}}
	for node, r := range have {
		if len(doc.Sessions) < maxSessions {
			doc.Sessions = append(doc.Sessions, storedSession{hex16(node), hex.EncodeToString(r.Bytes())})
		}
	}
	slices.SortFunc(doc.Sessions, func(a, b storedSession) int { return cmp.Compare(a.Node, b.Node) })
	return writeJSON(s.SessionsFile(), doc)
}
