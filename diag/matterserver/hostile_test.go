package matterserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
)

// TestMisbehaviour: whatever a server does wrong with whatever it is asked costs
// at most its time, makes one clear line, and loses nothing that was learnt.
func TestMisbehaviour(t *testing.T) {
	const all = 44
	for _, c := range []struct {
		command string
		how     matterserver.Misbehaviour
		want    string // problems
		kept    int    // reports of nodes from the cache
		most    time.Duration
	}{
		{"greeting", matterserver.Hang, "handshake: said nothing within 5s\n", 0, 5 * time.Second},
		{"greeting", matterserver.Garbage, "parse: sent something that is no message of a Matter server\n", 0, 0},
		{"greeting", matterserver.NotObject, "parse: sent something that is no message of a Matter server\n", 0, 0},
		{"greeting", matterserver.Binary, "parse: sent something that is no message of a Matter server\n", 0, 0},
		{"greeting", matterserver.Huge, "handshake: sent a message of more than 64 MiB before it said what it is\n", 0, 0},
		{"greeting", matterserver.Drop, "handshake: broke off the connection before it said what it is\n", 0, 0},
		{"greeting", matterserver.Shutdown, "parse: sent something that is no message of a Matter server\n", 0, 0},
		{"get_nodes", matterserver.Hang, "ask: did not answer get_nodes within 30s\n", 0, 30 * time.Second},
		{"get_nodes", matterserver.Garbage, "parse: sent something that is no message of a Matter server\n", 0, 0},
		{"get_nodes", matterserver.Huge, "parse: sent a message of more than 64 MiB\n", 0, 0},
		{"get_nodes", matterserver.Drop, "ask: broke off in the middle of a message\n", 0, 0},
		{"get_nodes", matterserver.Deep, "parse: sent something that is no message of a Matter server\n", 0, 0},
		{"get_nodes", matterserver.WrongTypes, "parse: a list of nodes was asked for, something else came\n", 0, 0},
		{"get_nodes", matterserver.Shutdown, "ask: shut down meanwhile\n", 0, 0},
		{"get_nodes", matterserver.Abort, "ask: answered get_nodes with error 0: Operation aborted\n", 0, time.Second},
		{"get_nodes", matterserver.Echo, "", all, 2 * time.Second},
		{"get_thread_border_routers", matterserver.Hang, "ask: did not answer get_thread_border_routers within 5s\n", all, 7 * time.Second},
		{"get_thread_border_routers", matterserver.WrongTypes, "parse: a list of border routers was asked for, something else came\n", all, 2 * time.Second},
		{"get_thread_border_routers", matterserver.Abort, "", all, 3 * time.Second},
		{"get_thread_border_routers", matterserver.Drop, "ask: broke off the connection: of 17 nodes that were to be read 17 were not, for them there is only what the server kept\n", all, 0},
		{"read_attribute", matterserver.Garbage, "parse: sent something that is no message of a Matter server: of 17 nodes that were to be read 17 were not, for them there is only what the server kept\n", all, time.Second},
		{"read_attribute", matterserver.Huge, "parse: sent a message of more than 64 MiB: of 17 nodes that were to be read 17 were not, for them there is only what the server kept\n", all, 3 * time.Second},
		{"read_attribute", matterserver.Shutdown, "ask: shut down meanwhile: of 17 nodes that were to be read 17 were not, for them there is only what the server kept\n", all, time.Second},
		{"read_attribute", matterserver.Hang, "17 × ask: did not answer read_attribute within 15s", all, 62 * time.Second},
		{"read_attribute", matterserver.WrongTypes, "17 × parse: answered read_attribute with nothing of what was asked", all, 2 * time.Second},
		{"read_attribute", matterserver.Abort, "17 × ask: answered read_attribute with error 0: Operation aborted", all, 6 * time.Second},
		{"read_attribute", matterserver.Echo, "", all, 2 * time.Second},
	} {
		t.Run(fmt.Sprint(c.command, " ", c.how), func(t *testing.T) {
			s := server(t, mesh.HomeOf50(1), matterserver.Options{AbortAfter: time.Second, Misbehave: func(command string, _ uint64) matterserver.Misbehaviour {
				if command == c.command {
					return c.how
				}
				return matterserver.Behave
			}})
			reports, problems, took := scan(t, s, nil)
			kept, fresh, _ := told(t, reports)
			if len(kept) != c.kept || took > c.most {
				t.Errorf("%d nodes in %v", len(kept), took)
			}
			got := texts(problems)
			if n, each, many := strings.Cut(c.want, " × "); many {
				stage, text, _ := strings.Cut(each, ": ")
				if fmt.Sprint(len(problems)) != n || strings.Count(got, stage+": node ") != len(problems) || strings.Count(got, "could not be read: the server "+text+"\n") != len(problems) || len(fresh) != 0 {
					t.Errorf("%d read, %s", len(fresh), got)
				}
			} else if got != c.want {
				t.Errorf("got  %swant %s", got, c.want)
			}
			for _, p := range problems {
				if !p.Partial {
					t.Errorf("%+v", p)
				}
			}
			if c.how == matterserver.Echo && len(fresh) != 17 {
				t.Errorf("%d read", len(fresh))
			}
		})
	}
}

// TestBreaksOffAmongReads: what was read until then stays. Two networks are read
// side by side, so the read that goes with the one that breaks off may have been
// answered or not.
func TestBreaksOffAmongReads(t *testing.T) {
	var n atomic.Int32
	s := server(t, mesh.HomeOf50(1), matterserver.Options{ReadTime: 10 * time.Millisecond, Misbehave: func(command string, _ uint64) matterserver.Misbehaviour {
		if command == "read_attribute" {
			if n.Add(1) == 6 {
				return matterserver.Drop
			}
		}
		return matterserver.Behave
	}})
	reports, problems, _ := scan(t, s, nil)
	kept, fresh, _ := told(t, reports)
	want := fmt.Sprintf("ask: broke off the connection: of 17 nodes that were to be read %d were not, for them there is only what the server kept\n", 17-len(fresh))
	if len(kept) != 44 || len(fresh) != 4 && len(fresh) != 5 || texts(problems) != want {
		t.Errorf("%d kept, %d fresh, %s", len(kept), len(fresh), texts(problems))
	}
	for id, r := range kept {
		if r.Available != diag.Some(true) { // the server's word: the connection is to blame, not the node
			t.Errorf("node %d: available %v", id, r.Available)
		}
	}
}

// TestTimeIsOver: a scan that is cut short keeps what it has.
func TestTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, mesh.HomeOf50(1), matterserver.Options{ReadTime: 900 * time.Millisecond})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		reports, problems, took := scanUntil(t, ctx, s, nil)
		kept, fresh, _ := told(t, reports)
		if len(kept) != 44 || len(fresh) == 0 || len(fresh) == 17 || took > time.Second+time.Millisecond || len(problems) != 1 || !strings.Contains(texts(problems), "the time was over") {
			t.Errorf("%d kept, %d fresh, %v, %s", len(kept), len(fresh), took, texts(problems))
		}
		if want := fmt.Sprintf("of 17 nodes that were to be read %d were not", 17-len(fresh)); !strings.Contains(texts(problems), want) {
			t.Errorf("%s, want %s", texts(problems), want)
		}
	})
}

// TestNoServer: what stands at a URL that is no Matter server's.
func TestNoServer(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := free.Addr().String()
	free.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://198.51.100.1/"+canary)
			w.WriteHeader(code)
			w.Write([]byte(canary))
		}
	}
	for name, c := range map[string]struct {
		h    http.Handler
		want string
	}{
		"web site":  {status(200), "handshake: is no WebSocket (answered 200)"},
		"not found": {status(404), "handshake: is no WebSocket (answered 404)"},
		"login":     {status(401), "handshake: does not let us in (401)"},
		"proxy":     {status(502), "handshake: is not up (502 from what stands before it)"},
		"elsewhere": {status(302), "handshake: sends us elsewhere (302), which is not followed"},
		"teapot":    {status(418), "handshake: answered 418 I'm a teapot"},
		"cut": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }),
			"handshake: broke off before it was a WebSocket"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(c.h)
			defer srv.Close()
			if got := real(t, srv.Listener.Addr().String()); got != c.want+"\n" {
				t.Errorf("got %swant %s", got, c.want)
			}
		})
	}
	if got := real(t, closed); !strings.HasPrefix(got, "connect: nothing listens on port ") {
		t.Error(got)
	}
}

// real asks by the Dialer that users get, over a socket of loopback.
func real(t *testing.T, address string) string {
	t.Helper()
	probes := Source{}.Probes(diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: "u:" + canary + "@" + address}}})
	reports, problems := diag.Collect(t.Context(), probes, nil)
	if len(reports) != 0 || strings.Contains(fmt.Sprintf("%+v", problems), canary) {
		t.Errorf("%+v %+v", reports, problems)
	}
	for _, p := range problems {
		if !p.Partial || p.Hint == "" && p.Stage != diag.StageHandshake {
			t.Errorf("%+v", p)
		}
	}
	return texts(problems)
}

// TestRealSocket: the Dialer that users get, and Check, against a server on
// loopback.
func TestRealSocket(t *testing.T) {
	s := server(t, mesh.HomeOf50(1), matterserver.Options{})
	srv := httptest.NewServer(s)
	defer srv.Close()
	at := srv.Listener.Addr().String()
	reports, problems := diag.Collect(t.Context(), Source{}.Probes(diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: at}}}), nil)
	if len(problems) != 0 || len(reports) != 44+17+6 {
		t.Errorf("%d reports, %s", len(reports), texts(problems))
	}
	info, err := Check(t.Context(), nil, at)
	if err != nil || info.URL != "ws://"+at+"/ws" || info.Nodes != 44 || info.Reachable != 44 || len(info.Networks) != 3 || info.Names[info.Networks[0]] == "" ||
		info.Fabric != s.Fabric() || info.Schema != diag.Some(uint64(13)) || !strings.Contains(info.Server, "matter.js") {
		t.Errorf("%+v, %v", info, err)
	}
	srv.Close()
	if _, err := Check(t.Context(), nil, "u:"+canary+"@"+at); err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "nothing listens on port") {
		t.Errorf("%v", err)
	}
	if _, err := Check(t.Context(), nil, "ftp://x"); err == nil {
		t.Error("ftp is taken")
	}
}
