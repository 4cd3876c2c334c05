package matterserver

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/internal/relisten/relistentest"
	"threadmap/diag/matterserver/wsdoc"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
)

// hear listens to s in a bubble.
func hear(t *testing.T, s *matterserver.Server, node uint64) *relistentest.Hearing {
	t.Helper()
	return relistentest.Begin(t, func(ctx context.Context, tell func(time.Time, string)) error {
		return Listen(ctx, "ws://someone:"+canary+"@ha.test/ws", ListenOptions{Dial: to(s), Node: node}, func(at time.Time, e Event) {
			line := fmt.Sprintf("%s %d", e.Kind, e.Node)
			switch e.Kind {
			case KindAvailable:
				line += " " + e.Available.String()
			case KindAttribute:
				line += " " + e.Path + " " + string(e.Value)
			case KindEvent:
				line += fmt.Sprintf(" %d/%d/%d #%d %s", e.Endpoint, e.Cluster, e.EventID, e.Number, e.Text)
			case KindBegan, KindEnded:
				line += " " + e.Text
			}
			tell(at, line)
		})
	})
}

// sleeper is the first node that sleeps.
func sleeper(t *testing.T, h *mesh.Home) (*mesh.Node, uint64) {
	t.Helper()
	for _, m := range h.Networks {
		for i := range m.Nodes {
			if n := &m.Nodes[i]; n.Sleepy() && len(n.Matter) > 0 {
				return n, n.Matter[0].Node
			}
		}
	}
	t.Fatal("no sleepy node")
	return nil, 0
}

func TestListen(t *testing.T) {
	for _, flavour := range []matterserver.Flavour{matterserver.JS, matterserver.Python} {
		synctest.Test(t, func(t *testing.T) {
			home := mesh.HomeOf50(1)
			n, id := sleeper(t, home)
			s := server(t, home, matterserver.Options{Flavour: flavour})
			h := hear(t, s, id)
			begin := h.Heard()
			if len(begin) < 2 || begin[0] != "0s began 0 " || begin[1] != fmt.Sprintf("0s available %d true", id) {
				t.Fatalf("began with %q", begin)
			}
			for _, line := range begin[2:] {
				if !strings.HasPrefix(line, fmt.Sprintf("0s attribute %d 0/", id)) || strings.Contains(line, " 0/51/2 ") || strings.Contains(line, " 0/53/") {
					t.Errorf("began with %q", line)
				}
			}
			s.EmitAttribute(id, "0/51/1", uint64(18446744073709551614))
			s.EmitAttribute(id+1, "0/51/1", 7) // another node
			s.EmitEvent(id, 1, 0x3b, 6, 18446744073709551615, map[string]any{"totalNumberOfPressesCounted": 2})
			s.EmitEvent(id, 0, 0x28, 0, 3, nil)
			time.Sleep(45 * time.Second) // a ping lies between
			s.SetUnavailable(func(m *mesh.Node) bool { return m.ExtAddr == n.ExtAddr })
			s.Emit("node_updated", map[string]any{"node_id": id, "available": false, "attributes": map[string]any{}})
			h.Want(t, fmt.Sprintf("0s attribute %d 0/51/1 18446744073709551614", id),
				fmt.Sprintf("0s event %d 1/59/6 #18446744073709551615 MultiPressComplete", id), fmt.Sprintf("0s event %d 0/40/0 #3 StartUp", id),
				fmt.Sprintf("45s available %d false", id))
			s.Emit("node_removed", id)
			s.Emit("node_removed", id+1)
			h.Want(t, fmt.Sprintf("45s removed %d", id))
			if got := s.Requests(); len(got) != 1 || got["start_listening"] != 1 {
				t.Errorf("asked %v: want to listen, and nothing else", got)
			}
		})
	}
}

// TestListenAgain: a connection that breaks is made anew after 1 s, and what the
// server shows then is told.
func TestListenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home := mesh.HomeOf50(1)
		n, id := sleeper(t, home)
		s := server(t, home, matterserver.Options{})
		h := hear(t, s, id)
		h.Heard()
		time.Sleep(10 * time.Second)
		s.Cut()
		synctest.Wait()
		s.SetUnavailable(func(m *mesh.Node) bool { return m.ExtAddr == n.ExtAddr })
		time.Sleep(1500 * time.Millisecond)
		got := h.Heard()
		if len(got) != 3 || !strings.HasPrefix(got[0], "10s ended 0 ") || got[1] != "11s began 0 " || got[2] != fmt.Sprintf("11s available %d false", id) {
			t.Errorf("heard %q", got)
		}
		s.Emit("server_shutdown", nil)
		time.Sleep(2 * time.Second)
		if got := h.Heard(); len(got) != 3 || got[0] != "12s ended 0 shut down meanwhile" || got[1] != "13s began 0 " {
			t.Errorf("heard %q", got)
		}
	})
}

// TestListenHostile: frames that are no events are passed over or end the
// connection; none is told, and the listening goes on.
func TestListenHostile(t *testing.T) {
	for _, frame := range []string{
		`{"event":"attribute_updated"}`, `{"event":"attribute_updated","data":{}}`, `{"event":"attribute_updated","data":[1]}`,
		`{"event":"attribute_updated","data":["1","0/51/1",2]}`, `{"event":"attribute_updated","data":[1e3,"0/51/1",2]}`,
		`{"event":"attribute_updated","data":[-1,"0/51/1",2]}`, `{"event":"attribute_updated","data":[ID,"../51/1",2]}`,
		`{"event":"attribute_updated","data":[ID,"0/51/1","` + strings.Repeat("x", 20<<10) + `"]}`,
		`{"event":"node_updated","data":[]}`, `{"event":"node_updated","data":{"node_id":ID}}`, `{"event":"node_updated","data":{"node_id":ID,"available":"no"}}`,
		`{"event":"node_event","data":{"node_id":ID}}`, `{"event":"node_event","data":{"node_id":ID,"endpoint_id":70000,"cluster_id":59,"event_id":1,"event_number":5}}`,
		`{"event":"node_event","data":{"node_id":ID,"endpoint_id":1,"cluster_id":59,"event_id":1,"event_number":5.5}}`,
		`{"event":"node_removed","data":"29"}`, `{"event":"something_new","data":{"node_id":ID}}`, `{"event":7}`,
		`{"event":"attribute_updated","data":[ID,"0/51/1",` + strings.Repeat("[", 20000) + `]}`, `<html>`, ``, `[1,2,3]`, `null`,
	} {
		synctest.Test(t, func(t *testing.T) {
			home := mesh.HomeOf50(1)
			_, id := sleeper(t, home)
			s := server(t, home, matterserver.Options{})
			h := hear(t, s, id)
			h.Heard()
			s.EmitRaw([]byte(strings.ReplaceAll(frame, "ID", fmt.Sprint(id))))
			time.Sleep(1500 * time.Millisecond)
			s.EmitAttribute(id, "0/51/1", 5)
			got := h.Heard()
			if len(got) == 0 || !strings.HasSuffix(got[len(got)-1], "0/51/1 5") {
				t.Fatalf("%.60s: the listening did not go on: %q", frame, got)
			}
			for _, line := range got[:len(got)-1] {
				if strings.HasPrefix(line, "0s attribute") || strings.HasPrefix(line, "0s available") || strings.HasPrefix(line, "0s event") || strings.Contains(line, canary) {
					t.Errorf("%.60s: told %q", frame, line)
				}
			}
		})
	}
}

// TestListenMisbehaviour: a server that never lets itself be listened to is
// given up in bounded time with one line; one that hangs once later is left and
// tried again.
func TestListenMisbehaviour(t *testing.T) {
	for _, c := range []struct {
		command string
		how     matterserver.Misbehaviour
		most    time.Duration
	}{
		{"greeting", matterserver.Hang, 20 * time.Second}, {"greeting", matterserver.Garbage, 4 * time.Second}, {"greeting", matterserver.Drop, 4 * time.Second},
		{"start_listening", matterserver.Hang, 100 * time.Second}, {"start_listening", matterserver.Huge, 5 * time.Second},
		{"start_listening", matterserver.WrongTypes, 4 * time.Second}, {"start_listening", matterserver.Deep, 4 * time.Second},
		{"start_listening", matterserver.Shutdown, 4 * time.Second}, {"start_listening", matterserver.Drop, 4 * time.Second},
	} {
		t.Run(fmt.Sprint(c.command, " ", c.how), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := server(t, mesh.HomeOf50(1), matterserver.Options{Misbehave: func(command string, _ uint64) matterserver.Misbehaviour {
					if command == c.command {
						return c.how
					}
					return matterserver.Behave
				}})
				begun := time.Now()
				err := Listen(t.Context(), "ws://ha.test/ws", ListenOptions{Dial: to(s)}, func(_ time.Time, e Event) { t.Errorf("told %+v", e) })
				if took := time.Since(begun); err == nil || took > c.most {
					t.Errorf("%v after %v, at most %v", err, took, c.most)
				}
				if err != nil && (strings.ContainsAny(err.Error(), "\n\r") || strings.Contains(err.Error(), canary)) {
					t.Errorf("error %q", err)
				}
			})
		})
	}
	if err := Listen(t.Context(), "ws://u:"+canary+"@h:99999/ws", ListenOptions{}, nil); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("bad URL: %v", err)
	}
}

// FuzzParseEvent: no frame panics, and what is told has a node and a known kind.
func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"event":"attribute_updated","data":[31,"0/53/7",[{"0":4533327041861999629}]]}`))
	f.Add([]byte(`{"event":"node_event","data":{"node_id":5,"endpoint_id":1,"cluster_id":59,"event_id":1,"event_number":18446744073709551615}}`))
	f.Add([]byte(`{"event":"node_updated","data":{"node_id":5,"available":true}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, ok, err := wsdoc.ParseEvent(frame)
		if ok && (err != nil || len(e.Value) > 16<<10 || len(e.Path) > 64) || !ok && e.Path != "" && err != nil {
			t.Errorf("%+v %v %v", e, ok, err)
		}
		_ = diag.Some(e)
	})
}
