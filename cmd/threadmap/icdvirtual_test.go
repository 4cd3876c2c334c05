package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/homeassistant"
	"threadmap/diag/icd"
	icdcanary "threadmap/diag/icd/canary"
	icdlisten "threadmap/diag/icd/listen"
	"threadmap/diag/snapshot"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
	simha "threadmap/simulators/homeassistant"
	"threadmap/simulators/icdhome"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
)

const (
	virtualHA    = "http://ha.test:8123"
	virtualToken = "a-long-lived-token-of-the-simulated-home"
)

// A virtualHome is a simulated home, in virtual time, that "icd NODE" watches: the
// LAN and the device are those of a scenario, and what its controller tells of its
// inside is told by a simulated Home Assistant and its Matter server, to who
// listens to them.
type virtualHome struct {
	home *icdhome.Home
	u    *user
	ha   *simha.Server
	ms   *matterserver.Server
	node *mesh.Node // as Home Assistant has the device
	args []string   // of the command, all but what a test adds

	mu   sync.Mutex
	said []func() // what Home Assistant has yet to tell
	more chan struct{}
	done chan struct{}
}

// inVirtualHome plays a scenario in a bubble, and gives what is to be looked at
// from inside it.
func inVirtualHome(t *testing.T, scenario string, withHA bool, look func(t *testing.T, h *virtualHome, s *icdhome.Scenario)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))) // certificates are not valid in 2000
		s := icdhome.ByName(scenario)
		if s == nil {
			t.Fatalf("there is no scenario %q", scenario)
		}
		home, err := s.New(icdhome.Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		h := &virtualHome{home: home, u: newUser(t), more: make(chan struct{}, 1), done: make(chan struct{})}
		h.moveIn(t, withHA)
		home.Observe = h.told
		if err := home.Start(); err != nil {
			t.Fatal(err)
		}
		h.onLAN(t)
		ctx, cancel := context.WithCancel(t.Context())
		go h.tell(ctx)
		time.Sleep(20 * time.Second) // all know each other by then
		look(t, h, s)
		cancel()
		<-h.done
		home.Close()
		testICD = nil
	})
}

// moveIn makes what the user has from before: threadmap's fabric, a login to Home
// Assistant, and a scan in which the device is.
func (h *virtualHome) moveIn(t *testing.T, withHA bool) {
	t.Helper()
	store := &state.Store{Config: h.u.dir, Cache: h.u.dir}
	b, err := h.home.Fabric().File()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(store.FabricFile(), b, 0o600); err != nil {
		t.Fatal(err)
	}
	ours := h.home.Fabric().Member().CompressedID()
	if _, err := store.AddNode(t.Context(), ours, state.MatterNode{Node: icdhome.DeviceNode, Name: "Hall button", Added: time.Now().UTC().Truncate(time.Second)}); err != nil {
		t.Fatal(err)
	}
	its := diag.MatterID{Fabric: h.home.ControllerFabric(), Node: icdhome.DeviceNode}
	net := diag.Network{ExtPANID: 0xdead00beef00cafe, Name: "ThreadMapLab"}
	at := time.Now().Add(-time.Hour) // what is older than a moment is not put on the timeline
	claim := []diag.AddrClaim{{ExtAddr: icdhome.DeviceExt, Witness: diag.WitnessInterface}}
	reports := []diag.Report{{Source: "matter", At: at, Own: claim, Network: net, Transport: diag.TransportThread, Role: diag.RoleSleepyEndDevice,
		Matter: []diag.MatterID{{Fabric: ours, Node: icdhome.DeviceNode}}, Names: []diag.Name{{Value: "Hall button", Kind: diag.NameHome}}}}
	if withHA {
		reports = append(reports, diag.Report{Source: homeassistant.Name, At: at, Own: claim, Network: net, Transport: diag.TransportThread, Matter: []diag.MatterID{its}})
		secret, err := homeassistant.ParseToken(virtualToken)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.AddToken(t.Context(), state.Token{URL: virtualHA, Token: secret, Added: time.Now().UTC().Truncate(time.Second)}); err != nil {
			t.Fatal(err)
		}
		if _, err := store.AddLogin(t.Context(), state.Login{Source: homeassistant.Name, URL: virtualHA}); err != nil {
			t.Fatal(err)
		}
		model := &mesh.Home{Name: "Hall", Networks: []*mesh.Mesh{mesh.Lab(0)}}
		for i := range model.Networks[0].Nodes {
			n := &model.Networks[0].Nodes[i]
			n.Matter = nil
			if n.Sleepy() && h.node == nil {
				n.ExtAddr, n.Matter, h.node = icdhome.DeviceExt, []diag.MatterID{its}, n
			}
		}
		if h.ms, err = matterserver.New(model, matterserver.Options{Fabric: its.Fabric, Session: simha.IngressSession, Kept: func(*mesh.Node) map[string]any { return map[string]any{"0/51/1": 17} }}); err != nil {
			t.Fatal(err)
		}
		if h.ha, err = simha.New(model, simha.Options{Fabric: its.Fabric, Users: map[string]simha.User{virtualToken: {Name: "Gus"}}, MatterServer: h.ms}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "home.cbor")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := snapshot.Write(f, &diag.Scan{From: at, To: at, Reports: reports, Complete: true}); err != nil {
		t.Fatal(err)
	}
	h.args = []string{"icd", "hall button", "--from", file, "--interface", "lo", "--observe", "mdns", "--observe", "ra", "--observe", "ping", "--observe", "canary", "--observe", "home-assistant", "--wait"}
}

// onLAN puts the command's observers on the simulated LAN.
func (h *virtualHome) onLAN(t *testing.T) {
	t.Helper()
	link := discovery.Link{Name: "lan"}
	hearing, err := h.home.Socket(0)
	if err != nil {
		t.Fatal(err)
	}
	announcing, err := h.home.Socket(2)
	if err != nil {
		t.Fatal(err)
	}
	var web http.Handler = http.NotFoundHandler()
	if h.ha != nil {
		web = h.ha
	}
	testICD = &icdLAN{
		listening: func(c *icdlisten.Config) {
			c.Interfaces, c.Sockets = nil, []mdns.Socket{{Link: link, Conn: hearing, To: icdhome.Group()}}
			c.Adverts, c.Echo = h.home.Adverts(), h.home.Echo
		},
		socket: func() (net.PacketConn, error) { return h.home.Listen(netip.AddrPortFrom(h.home.Host(1), 5550)) },
		find: func() (icdcanary.Target, error) {
			addrs, p, longIdle, ok := h.home.Place()
			if !ok {
				return icdcanary.Target{}, errors.New("nobody announces it now")
			}
			return icdcanary.Target{Addresses: addrs, Parameters: p, LongIdle: longIdle}, nil
		},
		announce: func(c *mdns.AdvertiseConfig) {
			c.Interfaces, c.Sockets = nil, []mdns.Socket{{Link: link, Conn: announcing, To: icdhome.Group()}}
			c.Addresses = func(string) []netip.Addr { return []netip.Addr{h.home.Host(1)} }
		},
		dial: matterserver.InProcess(web),
	}
}

// told takes what the scenario's controller tells of its inside. Home Assistant
// shows of it what a real one would; what nobody outside sees is passed over.
func (h *virtualHome) told(at time.Time, o icd.Observation) {
	if o.By != icd.ByHA || h.ha == nil {
		return
	}
	var say func()
	x := icdhome.DeviceExt.String()
	switch w := o.What.(type) {
	case *icd.Available:
		up := *w.Value
		say = func() {
			h.ms.SetUnavailable(func(*mesh.Node) bool { return !up })
			for entity, state := range map[string]string{"switch." + x: "on", "event." + x + "_button": at.Format(time.RFC3339Nano)} {
				if !up {
					state = "unavailable"
				}
				h.ha.SetState(entity, state, nil)
			}
		}
	case *icd.DeviceEvent:
		say = func() {
			h.ms.EmitEvent(icdhome.DeviceNode, 1, w.Cluster, w.EventID, w.Number, map[string]any{})
			if w.Cluster == clusterOfSwitch && w.EventID == 1 { // InitialPress, the only one that its event entity has
				h.ha.SetState("event."+x+"_button", at.Format(time.RFC3339Nano), map[string]any{"event_type": "initial_press"})
			}
		}
	default:
		return
	}
	h.mu.Lock()
	h.said = append(h.said, say)
	h.mu.Unlock()
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// tell lets Home Assistant tell it, in order.
func (h *virtualHome) tell(ctx context.Context) {
	defer close(h.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.more:
		}
		h.mu.Lock()
		said := h.said
		h.said = nil
		h.mu.Unlock()
		for _, say := range said {
			say()
		}
	}
}

// watch runs the command while the story is told.
func (h *virtualHome) watch(t *testing.T, s *icdhome.Scenario, args ...string) (out, errs string, record *icd.Timeline) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "button.jsonl")
	time.AfterFunc(30*time.Second, func() { s.Play(h.home) }) // when all is subscribed
	out, errs, status := h.u.run("", append(append(h.args, "--record", file, "--for", s.End.String()), args...)...)
	if status != exitDone {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if strings.Contains(out+errs, virtualToken) {
		t.Error("the token is told")
	}
	return out, errs, readTimelineFile(t, file)
}
