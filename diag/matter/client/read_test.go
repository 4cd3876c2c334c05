package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/simnet"
	"threadmap/tlv"
)

func TestRead(t *testing.T) {
	for _, rows := range []int{0, 3, 60} {
		for _, chunking := range []im.Chunking{im.EmptyThenAppend, im.FirstThenAppend} {
			for _, unsuppressed := range []bool{false, true} {
				t.Run(fmt.Sprint(rows, chunking, unsuppressed), func(t *testing.T) {
					bubble(t, nil, func(t *testing.T, w *world) {
						w.node.attributes, w.node.chunking, w.node.unsuppressed = diagnostics(rows), chunking, unsuppressed
						s := w.session()
						synctest.Wait()
						before := w.controller.Stats()
						r, err := Read(t.Context(), s, everything)
						ok(t, err)
						w.same(r)
						if r.Session != s || r.Session.Node() != nodeID || r.At.IsZero() || r.Empty() {
							t.Errorf("%+v", r)
						}
						synctest.Wait()
						after := w.controller.Stats()
						sent, received := after.Sent-before.Sent, after.Received-before.Received
						// ReadRequest, a StatusResponse for each chunk but the last, which is
						// acknowledged; where it wants a StatusResponse, that is acknowledged.
						if chunks := uint64(r.Messages); sent != chunks+1 || !unsuppressed && received != chunks || unsuppressed && received != chunks+1 {
							t.Errorf("%d reports, %d datagrams sent, %d received", chunks, sent, received)
						}
						if want := map[int][2]int{0: {1, 1}, 3: {1, 2}, 60: {9, 12}}[rows]; r.Messages < want[0] || r.Messages > want[1] {
							t.Errorf("%d reports", r.Messages)
						}
					})
				})
			}
		}
	}
}

func TestReadEvents(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		var data tlv.Encoder
		data.Struct(tlv.Anonymous)
		data.PutUint(tlv.Context(0), 3)
		data.End()
		b, err := data.Bytes()
		ok(t, err)
		for i := range uint64(100) {
			w.node.events = append(w.node.events, im.EventReport{Cluster: 0x33, Event: 3, Number: i, Priority: 2, Data: b,
				Time: im.EventTime{Clock: im.SystemClock, Milliseconds: i}})
		}
		r, err := Read(t.Context(), w.session(), im.ReadRequest{Events: []im.EventPath{{}}})
		ok(t, err)
		if !r.Complete || len(r.Events) != 100 || r.Messages < 2 {
			t.Fatalf("%d events in %d messages", len(r.Events), r.Messages)
		}
		for i, e := range r.Events {
			if e.Number != uint64(i) || !bytes.Equal(e.Data[2:], b[1:]) {
				t.Errorf("%+v", e)
			}
		}
	})
}

// The node stops after each of its messages: what was said completely stays.
func TestReadIsCut(t *testing.T) {
	for _, chunking := range []im.Chunking{im.EmptyThenAppend, im.FirstThenAppend} {
		most := 0
		for stop := 1; ; stop++ {
			whole := false
			bubble(t, nil, func(t *testing.T, w *world) {
				w.node.attributes, w.node.stopAfter, w.node.chunking = diagnostics(60), stop, chunking
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				r, err := Read(ctx, w.session(), everything)
				if whole = err == nil; whole {
					w.same(r)
					return
				}
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second || r.Complete {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if r.Messages != stop {
					t.Errorf("%d messages, want %d", r.Messages, stop)
				}
				good, cut := 0, 0
				for v := range r.Attributes.Values() {
					i := slices.IndexFunc(w.node.attributes, func(a im.AttributeReport) bool { return a.Path == v.Path })
					switch {
					case errors.Is(v.Err, im.ErrCut) && v.Data == nil:
						cut++
					case bytes.Equal(v.Data, w.node.attributes[i].Data):
						good++
					default:
						t.Errorf("%v is not what the node has", v.Path)
					}
				}
				if cut > 1 || good < most {
					t.Errorf("%d attributes, %d cut, after %d messages", good, cut, stop)
				}
				most = good
			})
			if whole {
				break
			}
		}
		if most < 8 { // 0 to 7, of which 7 is a list
			t.Errorf("at most %d attributes were kept", most)
		}
	}
}

// A side falls silent after any datagram.
func TestSilenceAtEveryDatagram(t *testing.T) {
	for after := range 40 {
		armed, left := false, after
		fate := func(simnet.Packet) []time.Duration {
			if armed {
				if left--; left < 0 {
					return nil
				}
			}
			return []time.Duration{time.Millisecond}
		}
		done := false
		bubble(t, fate, func(t *testing.T, w *world) {
			w.node.attributes = diagnostics(60)
			s := w.session()
			<-time.After(time.Second)
			armed = true
			began := time.Now()
			r, err := Read(t.Context(), s, everything)
			if err == nil {
				done = true
				w.same(r)
				return
			}
			if !errors.Is(err, session.ErrDefunct) && !errors.As(err, new(*transport.TimeoutError)) || time.Since(began) > time.Minute {
				t.Errorf("%v after %v", err, time.Since(began))
			}
			if after == 0 && !errors.Is(err, session.ErrDefunct) {
				t.Errorf("%v", err)
			}
			if want := after / 2; r.Messages != want {
				t.Errorf("after %d datagrams: %d messages, want %d", after, r.Messages, want)
			}
			<-time.After(2 * time.Minute) // for the node to end
		})
		if done {
			if after < 15 {
				t.Errorf("done after %d datagrams", after)
			}
			return
		}
	}
	t.Error("40 datagrams are not enough")
}

// Loss, doubles and disorder: a read is complete and right, or an error says
// that the session or the peer is gone.
func TestBadNetwork(t *testing.T) {
	good := 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 2))
		bad := false
		fate := func(simnet.Packet) (copies []time.Duration) {
			if !bad {
				return []time.Duration{0}
			}
			for n := 0; r.Float64() < []float64{0.85, 0.2, 0.1, 0}[n]; n++ {
				copies = append(copies, time.Duration(r.IntN(80))*time.Millisecond)
			}
			return copies
		}
		bubble(t, fate, func(t *testing.T, w *world) {
			w.node.attributes = diagnostics(60)
			s := w.session()
			bad = true
			r, err := Read(t.Context(), s, everything)
			if err == nil {
				good++
				w.same(r)
			} else if !errors.Is(err, session.ErrDefunct) && !errors.As(err, new(*transport.TimeoutError)) && !errors.As(err, new(*transport.NoAckError)) {
				t.Errorf("%v", err)
			}
		})
	}
	if good < 11 {
		t.Errorf("%d of 12", good)
	}
}

func TestBusy(t *testing.T) {
	for _, status := range []im.Status{im.Busy, im.ResourceExhausted} {
		bubble(t, nil, func(t *testing.T, w *world) {
			w.node.attributes, w.node.busy, w.node.busyStatus = diagnostics(1), 3, status
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			began := time.Now()
			r, err := Read(ctx, w.session(), everything)
			ok(t, err)
			w.same(r)
			if took := time.Since(began); took < 3500*time.Millisecond || took > 3500*time.Millisecond*5/4 || len(w.node.at) != 4 {
				t.Errorf("%d requests in %v", len(w.node.at), took)
			}
		})
	}
}

// A node that stays busy: the error comes when it can't be asked any more in time.
func TestTooBusy(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.busy, w.node.busyStatus = 1000, im.Busy
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s := w.session()
		began := time.Now()
		r, err := Read(ctx, s, everything)
		var status *im.StatusError
		if !errors.As(err, &status) || status.Result.Status != im.Busy || time.Since(began) >= 10*time.Second || !r.Empty() || r.Complete {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		w.node.mu.Lock()
		w.node.at = nil
		w.node.mu.Unlock()
		if _, err := Read(t.Context(), s, everything); !isBusy(err) || len(w.node.at) != maxBusy+1 {
			t.Errorf("%v after %d requests", err, len(w.node.at))
		}
	})
}

func TestRefused(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		for _, status := range []im.Status{im.PathsExhausted, im.InvalidAction, im.Success} {
			w.node.mu.Lock()
			w.node.at, w.node.busy, w.node.busyStatus = nil, 1, status
			w.node.mu.Unlock()
			_, err := Read(t.Context(), w.session(), everything)
			var refused *im.StatusError
			if status == im.Success {
				if !errors.Is(err, errSuccess) {
					t.Error(err)
				}
			} else if !errors.As(err, &refused) || refused.Result.Status != status {
				t.Error(err)
			}
			if len(w.node.at) != 1 || !strings.HasPrefix(err.Error(), "reading from node 1122334455667788: ") {
				t.Errorf("%d requests, %v", len(w.node.at), err)
			}
		}
	})
}

// A list that changes between its pieces is read again, alone.
func TestTornList(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(60)
		reads := 0
		w.node.mangle = func(n int, b []byte) []byte {
			if n == 0 {
				reads++
			}
			if reads != 1 || n < 2 {
				return b
			}
			// Another data version: 2 octets after the member's control and tag.
			return bytes.ReplaceAll(b, []byte{0x24, 0x00, 0x07}, []byte{0x24, 0x00, 0x08})
		}
		r, err := Read(t.Context(), w.session(), everything)
		ok(t, err)
		w.same(r)
		if reads != 2 {
			t.Errorf("%d reads", reads)
		}
	})
}

// Where the second read fails, what the first said stays, but for the torn list.
func TestTornListAndGone(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = slices.Concat(diagnostics(60)[:8], diagnostics(2)[8:9]) // a list is last
		reads := 0
		w.node.mangle = func(n int, b []byte) []byte {
			if n == 0 {
				if reads++; reads == 2 {
					return nil
				}
			}
			if n < 2 {
				return b
			}
			return bytes.Replace(b, []byte{0x24, 0x00, 0x07}, []byte{0x24, 0x00, 0x08}, 1)
		}
		r, err := Read(t.Context(), w.session(), everything)
		if err == nil || r.Complete || reads != 2 {
			t.Errorf("%v, %d reads", err, reads)
		}
		last, _ := r.Attributes.Value(w.node.attributes[8].Path)
		torn, _ := r.Attributes.Value(w.node.attributes[7].Path)
		if last.Err != nil || !bytes.Equal(last.Data, w.node.attributes[8].Data) || !errors.Is(torn.Err, im.ErrInconsistent) {
			t.Errorf("%v, %v", last.Err, torn.Err)
		}
		if !strings.Contains(err.Error(), "reading from node 1122334455667788 again: ") {
			t.Error(err)
		}
	})
}

// A node whose report is wrong is told, and what it said before stays.
func TestNonsense(t *testing.T) {
	for name, b := range map[string][]byte{"nothing": {}, "an open structure": {0x15}, "zeros": make([]byte, 100)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.node.attributes = diagnostics(60)
				w.node.mangle = func(n int, good []byte) []byte {
					if n == 1 {
						return b
					}
					return good
				}
				r, err := Read(t.Context(), w.session(), everything)
				if err == nil || r.Complete || r.Attributes.Len() == 0 {
					t.Errorf("%v, %d attributes", err, r.Attributes.Len())
				}
				<-time.After(time.Second)
				w.node.mu.Lock()
				defer w.node.mu.Unlock()
				if n := len(w.node.words); n != 2 || w.node.words[1] != im.InvalidAction {
					t.Errorf("the node was told %v", w.node.words)
				}
			})
		})
	}
}

// A node that never ends is stopped by the bounds.
func TestEndlessReport(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		s := w.session()
		attribute := uint32(0)
		next := func() []byte {
			var all []im.AttributeReport
			for range 40 {
				attribute++
				all = append(all, im.AttributeReport{Path: im.Path{Cluster: 0x35, Attribute: attribute}, Data: number(1)})
			}
			b, err := im.EncodeReports(im.ReportOptions{}, all, nil)
			ok(t, err)
			if len(b) != 1 {
				t.Fatalf("%d messages", len(b))
			}
			return slices.Concat(b[0][:len(b[0])-4], []byte{0x29, 0x03}, b[0][len(b[0])-4:]) // MoreChunkedMessages before the revision
		}
		w.node.mangle = func(int, []byte) []byte { return next() }
		w.node.unsuppressed, w.node.endless = true, true
		r, err := Read(t.Context(), s, everything)
		if !errors.Is(err, im.ErrTooMany) || r.Attributes.Len() != im.DefaultMaxAttributes {
			t.Errorf("%v, %d attributes", err, r.Attributes.Len())
		}
		<-time.After(time.Second)
		w.node.mu.Lock()
		defer w.node.mu.Unlock()
		if last := w.node.words[len(w.node.words)-1]; last != im.InvalidAction {
			t.Errorf("the node was told %v", last)
		}
	})
}

// A session that was closed, and a node that was restarted.
func TestSessionIsClosed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(1)
		s := w.session()
		s.Close()
		if _, err := Read(t.Context(), s, everything); !errors.Is(err, session.ErrDefunct) {
			t.Error(err)
		}
		s = w.session()
		ok(t, w.node.ep.Close()) // a restart
		_, err := Read(t.Context(), s, everything)
		if !errors.Is(err, session.ErrDefunct) || !errors.As(err, new(*transport.NoAckError)) {
			t.Error(err)
		}
	})
}
