package homeassistant

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/simulators/homeassistant"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name            string
		o               homeassistant.Options
		token           string
		admin           bool
		gives, withheld []string
		matterServer    bool
	}{
		{"administrator", homeassistant.Options{}, adminToken, true,
			[]string{"names, rooms and batteries (44 Matter devices)", "neighbors, routes and state of all Matter nodes", "credentials of 3 Thread networks", "border routers that Home Assistant hears", "its own border router", "fresh reads through its Matter server"},
			nil, true},
		{"guest", homeassistant.Options{}, guestToken, false,
			[]string{"names, rooms and batteries (44 Matter devices)", "neighbors, routes and state of all Matter nodes", "fresh reads through its Matter server"},
			[]string{"credentials of Thread networks: the token's user is no administrator"}, true},
		{"old, in a container", homeassistant.Options{Old: true, NoSupervisor: true, Version: "2023.1.0"}, adminToken, true,
			[]string{"names, rooms and batteries (44 Matter devices)", "neighbors, routes and state of all Matter nodes"},
			[]string{"credentials of Thread networks: Home Assistant has no Thread integration"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := start(t, tt.o)
			info, err := g.source(t, tt.token, pace{}).Check(t.Context(), strings.TrimPrefix(g.url, "http://")+"/lovelace/0")
			if err != nil {
				t.Fatal(err)
			}
			version := tt.o.Version
			if version == "" {
				version = "2026.11.2"
			}
			if info.URL != g.url || info.Version != version || info.Name != "Home of 50" || info.Admin != diag.Some(tt.admin) || !info.Plain || info.MatterServer != tt.matterServer {
				t.Errorf("%+v", info)
			}
			if !slices.Equal(info.Gives, tt.gives) || !slices.Equal(info.Withheld, tt.withheld) {
				t.Errorf("gives %q\nwithheld %q", info.Gives, info.Withheld)
			}
			if r := g.sim.Requests(); r["thread/get_dataset_tlv"]+r["otbr/info"]+r["download"]+r["get_states"] != 0 || len(g.sim.Writing()) > 0 {
				t.Errorf("asked %v", r)
			}
		})
	}
	g := start(t, homeassistant.Options{Misbehave: only("connect", homeassistant.Redirect)})
	_, err := g.source(t, adminToken, short).Check(t.Context(), g.url)
	if want := g.url + ": sends us to another address, which is not followed: log in with the address that a browser ends at"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// What a scan asks before it plans.
func TestBeforehand(t *testing.T) {
	g := start(t, homeassistant.Options{})
	got, err := g.source(t, adminToken, pace{}).Beforehand(t.Context(), g.url, true)
	if d := got.Datasets; err != nil || len(d) != 3 || d[1].ExtPANID != g.home.Networks[1].ExtPANID || string(d[1].PSKc.Bytes()) != string(g.home.Networks[1].PSKc[:]) || !got.MatterServer || got.Port != 0 {
		t.Errorf("%v, %v", got, err)
	}
	g.noSecrets(t, got)
	if got, err := g.source(t, guestToken, pace{}).Beforehand(t.Context(), g.url, false); err != nil || !got.MatterServer || !got.Reached || got.Datasets != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if r := g.sim.Requests(); len(g.sim.Writing()) > 0 || r["download"]+r["config/device_registry/list"]+r["get_states"] != 0 {
		t.Errorf("asked %v", r)
	}
	for name, tt := range map[string]struct {
		o       homeassistant.Options
		token   string
		sets    int
		server  bool
		port    uint16
		problem string // "": none
		partial bool
	}{
		"no administrator": {homeassistant.Options{}, guestToken, 0, true, 0, "tells this user, who is no administrator, nothing", false},
		"open port":        {homeassistant.Options{Port: 5581}, adminToken, 3, true, 5581, "", false},
		"a container":      {homeassistant.Options{NoSupervisor: true}, adminToken, 3, false, 0, "", false},
		"old":              {homeassistant.Options{Old: true}, adminToken, 0, true, 0, "", false},
		"refuses":          {homeassistant.Options{Misbehave: only("thread/list_datasets", homeassistant.Refuse)}, adminToken, 0, true, 0, "the error unknown_error", true},
		"strange datasets": {homeassistant.Options{Misbehave: only("thread/get_dataset_tlv", homeassistant.WrongTypes)}, adminToken, 0, true, 0, "one of its Thread datasets can't be read", true},
		"hangs":            {homeassistant.Options{Misbehave: only("supervisor/api", homeassistant.Hang)}, adminToken, 3, false, 0, "", false},
		"drops":            {homeassistant.Options{Misbehave: only("thread/list_datasets", homeassistant.Drop)}, adminToken, 0, true, 0, "broke off", true},
		"garbage":          {homeassistant.Options{Misbehave: only("get_config", homeassistant.Garbage)}, adminToken, 0, false, 0, "no message of Home Assistant", true},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, tt.o)
			got, err := g.source(t, tt.token, short).Beforehand(t.Context(), g.url, true)
			if len(got.Datasets) != tt.sets || got.MatterServer != tt.server || got.Port != tt.port {
				t.Errorf("%+v", got)
			}
			p, ok := err.(diag.Problem)
			if (tt.problem != "") != ok || !strings.Contains(p.Text, tt.problem) || p.Partial != tt.partial || ok && (p.Source != Name || p.Target != g.url) {
				t.Errorf("%+v", err)
			}
			g.noSecrets(t, got, err)
		})
	}
	if _, err := (Source{}).Beforehand(t.Context(), "http://u:hunter2@x", true); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

// The ingress leads to the Matter server, whose port is closed.
func TestMatterServer(t *testing.T) {
	g := start(t, homeassistant.Options{})
	ws, err := g.source(t, guestToken, pace{}).MatterServer(g.url)(t.Context(), "ignored")
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	ctx, cancel := context.WithTimeout(t.Context(), 5e9)
	defer cancel()
	_, b, err := ws.Read(ctx)
	var hello struct {
		Schema int `json:"schema_version"`
	}
	if json.Unmarshal(b, &hello); err != nil || hello.Schema != 13 {
		t.Errorf("%s, %v", b, err)
	}
	for _, o := range []homeassistant.Options{{NoSupervisor: true}, {Misbehave: only("supervisor/api", homeassistant.Refuse)}, {Misbehave: only("supervisor/api", homeassistant.WrongTypes)}} {
		g := start(t, o)
		ws, err := g.source(t, adminToken, short).MatterServer(g.url)(t.Context(), "")
		if err == nil {
			ws.CloseNow()
		}
		p, ok := err.(diag.Problem)
		if !ok || p.Target != g.url || p.Text == "" {
			t.Errorf("%#v", err)
		}
		g.noSecrets(t, err)
	}
}
