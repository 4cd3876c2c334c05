package client

import (
	"errors"
	"testing"
	"time"

	"threadmap/diag/matter/im"
)

// TestAdopt: a subscription is taken over from the one that made it, or from an
// earlier run; the node may be silent for hours, and comes back in a session of
// its own.
func TestAdopt(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(3)
		made, err := w.subscriptions.Subscribe(t.Context(), w.session(), subscribe)
		ok(t, err)
		ok(t, w.tell(w.theirs(), made.ID, diagnostics(3)[:1], false))
		fabric := w.authority.Member().CompressedID()
		sub, err := w.subscriptions.Adopt(fabric, nodeID, made.ID)
		ok(t, err)
		if r, err := made.Next(t.Context()); err != nil || r.Attributes.Len() != 1 {
			t.Errorf("what came before is lost: %v", err)
		}
		if _, err := made.Next(t.Context()); !errors.Is(err, ErrReplaced) {
			t.Errorf("%v", err)
		}
		for range 3 {
			<-time.After(5 * time.Hour)
			ok(t, w.tell(w.back(), sub.ID, diagnostics(3)[:2], false))
			if r, err := sub.Next(t.Context()); err != nil || r.Attributes.Len() != 2 {
				t.Errorf("%v", err)
			}
		}
		if sub.Err() != nil {
			t.Error(sub.Err())
		}
		// Of another node, and after the end, it is nobody's.
		other, err := w.subscriptions.Adopt(fabric, nodeID+1, 77)
		ok(t, err)
		defer other.Close()
		sub.Close()
		theirs := w.back()
		for _, id := range []uint32{77, sub.ID} {
			w.node.words = nil
			w.tell(theirs, id, nil, false)
			if words := w.node.words; len(words) != 1 || words[0] != im.InvalidSubscription {
				t.Errorf("subscription %d: %v", id, words)
			}
		}
		if _, err := w.subscriptions.Adopt(fabric, 0, 1); err == nil {
			t.Error("a subscription of no node")
		}
	})
}
