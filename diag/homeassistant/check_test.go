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

func TestDatasets(t *testing.T) {
	g := start(t, homeassistant.Options{})
	got, err := g.source(t, adminToken, pace{}).Datasets(t.Context(), g.url)
	if err != nil || len(got) != 3 || got[1].ExtPANID != g.home.Networks[1].ExtPANID || string(got[1].PSKc.Bytes()) != string(g.home.Networks[1].PSKc[:]) {
		t.Errorf("%v, %v", got, err)
	}
	g.noSecrets(t, got)
	if _, err := g.source(t, guestToken, pace{}).Datasets(t.Context(), g.url); err == nil || !strings.Contains(err.Error(), "lets only an administrator ask thread/list_datasets: log in with a token of an administrator") {
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
