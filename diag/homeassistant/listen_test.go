package homeassistant

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/internal/relisten/relistentest"
	"threadmap/simulators/homeassistant"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
)

// A hearing is a Listen about one node, in virtual time.
type hearing struct {
	sim                   *homeassistant.Server
	node                  *mesh.Node
	id                    uint64
	src                   Source
	*relistentest.Hearing // once it listens
}

// hear listens to a home's Home Assistant about its first sleepy device.
func hear(t *testing.T, token string, o homeassistant.Options) *hearing {
	t.Helper()
	home := mesh.HomeOf50(1)
	o.Users = map[string]homeassistant.User{guestToken: {Name: "Gus"}}
	sim, err := homeassistant.New(home, o)
	if err != nil {
		t.Fatal(err)
	}
	h := &hearing{sim: sim}
	for _, m := range home.Networks {
		for i := range m.Nodes {
			if n := &m.Nodes[i]; n.Sleepy() && len(n.Matter) > 0 && h.node == nil {
				h.node, h.id = n, n.Matter[0].Node
			}
		}
	}
	secret, err := ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	h.src = Source{Logins: func(string) (Login, bool) { return Login{Token: secret}, true }, Dial: matterserver.InProcess(sim)}
	return h
}

func (h *hearing) listen(t *testing.T) {
	h.Hearing = relistentest.Begin(t, func(ctx context.Context, tell func(time.Time, string)) error {
		return h.src.Listen(ctx, "http://ha.test:8123", diag.MatterID{Node: h.id}, func(at time.Time, e Event) {
			line := fmt.Sprintf("%s %d", e.Kind, e.Node)
			switch e.Kind {
			case KindAvailable:
				line += " " + e.Available.String()
			case KindAttribute:
				line += " " + e.Path + " " + string(e.Value)
			case KindEnded:
				line += " " + e.Text
			}
			tell(at, line)
		})
	})
}

func TestListen(t *testing.T) {
	for _, arrays := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := hear(t, guestToken, homeassistant.Options{Arrays: arrays})
			h.listen(t)
			h.Want(t, "0s began 0", fmt.Sprintf("0s available %d true", h.id))
			x := h.node.ExtAddr.String()
			time.Sleep(time.Minute) // pings lie between
			h.sim.SetState("event."+x+"_button", "2026-11-22T10:05:00.000+00:00", map[string]any{"event_type": "initial_press"})
			h.sim.SetState("switch."+x, "off", nil)                               // no event entity
			h.sim.SetState("event.0123_button", "2026-11-22T10:05:00+00:00", nil) // another device's
			h.Want(t, fmt.Sprintf(`1m0s attribute %d event.%s_button {"state":"2026-11-22T10:05:00.000+00:00","event_type":"initial_press"}`, h.id, x))
			for _, e := range []string{"event." + x + "_button", "switch." + x, "sensor." + x + "_battery"} {
				h.sim.SetState(e, "unavailable", nil)
			}
			h.Want(t, fmt.Sprintf("1m0s available %d false", h.id))
			h.sim.SetState("event."+x+"_button", "2026-11-22T10:05:00.000+00:00", nil) // restored, no press
			h.Want(t, fmt.Sprintf("1m0s available %d true", h.id))
			for _, e := range []string{"event." + x + "_button", "switch." + x, "sensor." + x + "_battery"} {
				h.sim.Remove(e)
			}
			got := h.Heard()
			if len(got) == 0 || got[len(got)-1] != fmt.Sprintf("1m0s removed %d", h.id) {
				t.Errorf("heard %q", got)
			}
			if asked := h.sim.Requests(); len(asked) != 3 || len(h.sim.Writing()) > 0 {
				t.Errorf("asked %v: want the two registries and the subscription", asked)
			}
		})
	}
}

// TestListenAgain: a broken conversation is begun anew after a second; a token
// that was revoked meanwhile ends it and is not tried twice.
func TestListenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hear(t, guestToken, homeassistant.Options{})
		h.listen(t)
		h.Heard()
		time.Sleep(10 * time.Second)
		h.sim.Cut()
		time.Sleep(1500 * time.Millisecond)
		got := h.Heard()
		if len(got) != 3 || !strings.HasPrefix(got[0], "10s ended 0 ") || got[1] != "11s began 0" || got[2] != fmt.Sprintf("11s available %d true", h.id) {
			t.Errorf("heard %q", got)
		}
		h.sim.Revoke(guestToken, false)
		h.sim.Cut()
		time.Sleep(time.Hour)
		err := h.Over()
		if err == nil || strings.Contains(err.Error(), guestToken) || h.sim.WrongLogins() != 1 {
			t.Errorf("%v, %d wrong logins", err, h.sim.WrongLogins())
		}
	})
}

// TestListenHostile: events of any shape tell nothing false and end nothing.
func TestListenHostile(t *testing.T) {
	for _, event := range []string{
		`null`, `7`, `[]`, `{}`, `{"a":[]}`, `{"a":{"switch.x":7}}`, `{"c":{"event.x":{"+":{"s":"now"}}}}`, `{"c":{"ENTITY":7}}`, `{"c":{"ENTITY":{"+":[]}}}`,
		`{"c":{"ENTITY":{"+":{"s":{}}}}}`, `{"c":{"ENTITY":{"-":{"a":["x"]}}}}`, `{"r":{}}`, `{"r":["switch.other",5]}`,
		`{"c":{"ENTITY":{"+":{"a":{"event_type":"` + strings.Repeat("x", 100000) + `"}}}}}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			h := hear(t, guestToken, homeassistant.Options{})
			h.listen(t)
			h.Heard()
			entity := "event." + h.node.ExtAddr.String() + "_button"
			h.sim.EmitRaw(strings.ReplaceAll(event, "ENTITY", entity))
			for _, line := range h.Heard() {
				if strings.Contains(line, "attribute") || strings.Contains(line, "false") || strings.Contains(line, "removed") {
					t.Errorf("%.60s: told %q", event, line)
				}
			}
			h.sim.SetState(entity, "2026-11-22T10:09:00+00:00", map[string]any{"event_type": "long_press"})
			if got := h.Heard(); len(got) != 1 || !strings.Contains(got[0], "long_press") {
				t.Errorf("%.60s: then heard %q", event, got)
			}
		})
	}
}

// TestListenGivesUp: what never lets itself be listened to ends in bounded time
// with one line.
func TestListenGivesUp(t *testing.T) {
	for _, c := range []struct {
		name, token, want string
		o                 homeassistant.Options
		node              uint64
		most              time.Duration
	}{
		{"wrong token", wrongToken, "refused the token", homeassistant.Options{}, 0, time.Second},
		{"no such node", guestToken, "has no Matter device with node id 987654", homeassistant.Options{}, 987654, time.Second},
		{"hangs", guestToken, "did not answer subscribe_entities within 20s", homeassistant.Options{Misbehave: on("subscribe_entities", homeassistant.Hang)}, 0, 65 * time.Second},
		{"garbage", guestToken, "sent something", homeassistant.Options{Misbehave: on("subscribe_entities", homeassistant.Garbage)}, 0, 4 * time.Second},
		{"drops", guestToken, "", homeassistant.Options{Misbehave: on("config/entity_registry/list", homeassistant.Drop)}, 0, 4 * time.Second},
		{"huge", guestToken, "", homeassistant.Options{Misbehave: on("config/device_registry/list", homeassistant.Huge)}, 0, 4 * time.Second},
		{"wrong types", guestToken, "", homeassistant.Options{Misbehave: on("config/device_registry/list", homeassistant.WrongTypes)}, 0, 4 * time.Second},
		{"refuses", guestToken, "", homeassistant.Options{Misbehave: on("subscribe_entities", homeassistant.Refuse)}, 0, 4 * time.Second},
		{"hangs at the login", guestToken, "", homeassistant.Options{Misbehave: on("auth", homeassistant.Hang)}, 0, 50 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hear(t, c.token, c.o)
				if c.node != 0 {
					h.id = c.node
				}
				begun := time.Now()
				err := h.src.Listen(t.Context(), "http://ha.test:8123", diag.MatterID{Node: h.id}, func(_ time.Time, e Event) { t.Errorf("told %+v", e) })
				took := time.Since(begun)
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\r") || strings.Contains(err.Error(), c.token) || took > c.most {
					t.Errorf("%v after %v", err, took)
				}
				if c.token == wrongToken && h.sim.WrongLogins() != 1 {
					t.Errorf("%d wrong logins", h.sim.WrongLogins())
				}
			})
		})
	}
}

func on(command string, m homeassistant.Misbehaviour) func(string) homeassistant.Misbehaviour {
	return func(c string) homeassistant.Misbehaviour {
		if c == command {
			return m
		}
		return homeassistant.Behave
	}
}
