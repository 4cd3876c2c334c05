package main

import (
	"io"
	"log"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/diag/homeassistant"
	simmdns "threadmap/simulators/mdns"
	"threadmap/simulators/world"
)

// TestSelfSigned: a certificate that the computer does not know is taken by its
// fingerprint, and by nothing else, also for the way to the Matter server.
func TestSelfSigned(t *testing.T) {
	t.Parallel()
	home, _, ha := homeOf50(t, world.HomeOptions{})
	s := httptest.NewUnstartedServer(ha.Server)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	u := newUser(t)
	u.env = map[string]string{tokenEnv: world.AdminToken}
	_, e, status := u.run("", "login", "ha", s.URL)
	print := regexp.MustCompile(`fingerprint is ([0-9A-F:]{95}): compare`).FindStringSubmatch(e)
	if status != exitFailed || print == nil || strings.Count(e, "\n") != 1 {
		t.Fatal(e)
	}
	other := strings.Replace(print[1], print[1][:2], map[bool]string{true: "01", false: "00"}[print[1][:2] == "00"], 1)
	if _, e, status := u.run("", "login", "ha", "--fingerprint", other, s.URL); status != exitFailed || !strings.Contains(e, "another certificate than the one that was trusted: now "+print[1]) {
		t.Error(e)
	}
	if n := ha.Server.Requests()["get_config"]; n > 0 {
		t.Errorf("somebody who was not trusted got the token: %d", n)
	}
	if o, e, status := u.run("", "login", "ha", "--fingerprint", print[1], s.URL); status != exitDone || strings.Contains(e, "plain http") {
		t.Fatal(o, e)
	}
	u.env = nil
	o, e, status := u.run("", "scan", "--source", "home-assistant", "--source", "matter-server", "--json")
	if status != exitDone || !strings.Contains(o, s.URL+` (Matter server)","state":"answered"`) || !strings.Contains(o, s.URL+`","state":"answered"`) {
		t.Error(status, o, e)
	}
	// With another certificate it is not trusted any more.
	b, err := os.ReadFile(u.dir + "/credentials.json")
	if err == nil {
		err = os.WriteFile(u.dir+"/credentials.json", []byte(strings.ReplaceAll(string(b), print[1], other)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, e, status := u.run("", "scan", "--source", "home-assistant", "--json"); status != exitPartial || !strings.Contains(e, "another certificate") {
		t.Error(status, e)
	}
	if where, err := secretIn(secretsOf(home), o+e, u.dir); where != "" || err != nil {
		t.Errorf("a secret is in %s: %v", where, err)
	}
}

// serveMDNS answers for services until the test ends.
func serveMDNS(t *testing.T, services []simmdns.Service) (at string) {
	t.Helper()
	at, end, err := respond(services)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return at
}

// TestSeveralHomes: of several Home Assistants none is guessed.
func TestSeveralHomes(t *testing.T) {
	t.Parallel()
	here := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	at := func(name string, txt ...string) simmdns.Service {
		s := simmdns.Service{Kind: "_home-assistant._tcp", Instance: name, Host: strings.ToLower(name), Port: 8123, Addrs: here}
		for _, x := range txt {
			s.TXT = append(s.TXT, []byte(x))
		}
		return s
	}
	mdns := serveMDNS(t, []simmdns.Service{at("Attic", "location_name=Attic", "internal_url=https://attic.example:443"), at("Cellar\x1b[2J", "location_name=Cellar")})
	u := newUser(t)
	_, e, status := u.run("", "login", "ha", "--ask", mdns)
	if want := `threadmap: 2 Home Assistants are announced: "Attic" at https://attic.example:443 and "Cellar" at http://127.0.0.1:8123: say which with threadmap login ha URL` + "\n"; status != exitFailed || e != want {
		t.Errorf("%q", e)
	}
	_, e, _ = u.run("", "login", "ha", "--ask", serveMDNS(t, []simmdns.Service{at("Evil\x1b[2J\u202e")}))
	if strings.ContainsAny(e, "\x1b\u202e") || !strings.Contains(e, "Evil") {
		t.Errorf("%q", e)
	}
	_, e, status = u.run("", "login", "ha", "--ask", serveMDNS(t, []simmdns.Service{{Kind: "_trel._udp", Instance: "x", Host: "x", Port: 1, Addrs: here}}))
	if status != exitFailed || e != "threadmap: no Home Assistant is announced: name it: threadmap login ha http://HOST:8123\n" {
		t.Errorf("%q", e)
	}
}

// What looks like a token is no URL; what is a URL does not look like a token.
func TestLooksToken(t *testing.T) {
	for s, want := range map[string]bool{
		"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln": true, strings.Repeat("a", 41): true, "http://127.0.0.1:8123/?token=" + strings.Repeat("b", 60): true,
		"homeassistant.local": false, "http://homeassistant.local:8123/lovelace/default_view": false, "[fd00::1]:8123": false, "": false,
		"https://abcdefghijklmnopqrstuvwxyz012345.ui.nabu.casa": false,
	} {
		if looksToken(s) != want {
			t.Errorf("%q", s)
		}
	}
}

// A token goes to the next address of the same Home Assistant only where the one
// before was not reached, and never from https to http.
func TestCheckHome(t *testing.T) {
	t.Parallel()
	_, _, ha := homeOf50(t, world.HomeOptions{})
	login := func(token string) homeassistant.Login {
		tok, err := homeassistant.ParseToken(token)
		if err != nil {
			t.Fatal(err)
		}
		return homeassistant.Login{Token: tok}
	}
	const nobody = "http://127.0.0.1:1"
	if info, err := checkHome(t.Context(), []string{nobody, ha.URL}, login(world.AdminToken)); err != nil || info.URL != ha.URL || info.Admin != diag.Some(true) {
		t.Errorf("%+v, %v", info, err)
	}
	asked := ha.Server.Requests()["get_config"]
	if _, err := checkHome(t.Context(), []string{"https://127.0.0.1:1", ha.URL}, login(world.AdminToken)); err == nil || !strings.Contains(err.Error(), "https://127.0.0.1:1: nothing listens") {
		t.Errorf("%v", err)
	}
	if _, err := checkHome(t.Context(), []string{ha.URL, ha.URL}, login("wrong.token.of.nobody.0003")); err == nil || ha.Server.WrongLogins() != 1 {
		t.Errorf("%v, %d wrong logins", err, ha.Server.WrongLogins())
	}
	if n := ha.Server.Requests()["get_config"]; n != asked {
		t.Errorf("asked %d times more", n-asked)
	}
}
