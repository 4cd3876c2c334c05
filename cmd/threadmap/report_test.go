package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
)

// TestReportBorderRouters: each border router of a network that there is a
// credential of is tried in a session of its own; and whoever reads the report
// learns nothing of the home.
func TestReportBorderRouters(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, atOnce())
	u := newUser(t)
	mine := home.Networks[0]
	if out, errs, status := u.run(datasetOf(mine), "login", "thread", "--file", "-"); status != exitDone {
		t.Fatal(out, errs)
	}
	before := map[string]int{}
	for _, a := range w.BorderAgents() {
		before[a.Name] = a.Server.Stats().Sessions
	}
	asJSON, errs, status := u.run("", "report", "--border-routers", "--json", "--ask", w.MDNS().String())
	if status != exitDone || !strings.Contains(errs, "Look it over") {
		t.Fatalf("status %d, %s%s", status, asJSON, errs)
	}
	for _, a := range w.BorderAgents() {
		want := 0
		if a.ExtPANID == mine.ExtPANID {
			want = 1
		}
		if n := a.Server.Stats().Sessions - before[a.Name]; n != want {
			t.Errorf("%s: %d sessions, want %d", a.Name, n, want)
		}
		if id, held := a.Server.Commissioner(); held {
			t.Errorf("%q still has the role", id)
		}
	}
	var doc bordersDoc
	if err := json.Unmarshal([]byte(asJSON), &doc); err != nil || doc.Format != "threadmap-border-routers" || doc.Version != 1 {
		t.Fatalf("%v: %s", err, asJSON)
	}
	tried := 0
	for _, b := range doc.Borders {
		if b.Announced == nil || *b.Announced.ConnectionMode != 1 || *b.Announced.Availability != "high" || *b.Announced.Interface != "active" || !*b.Announced.OneTimeCodes || b.Vendor == nil || b.Model == nil {
			t.Errorf("announced %+v", b)
		}
		if b.Session == nil {
			if *b.NotTried != "no credential of its network" {
				t.Errorf("not tried: %s", *b.NotTried)
			}
			continue
		}
		tried++
		s := b.Session
		if !s.Commissioner || s.Outcome != outcomeComplete || s.Reached != "ask" || s.Credential != "PSKc" || s.Vanished != nil || s.Largest == nil || s.SilentRouters != 0 ||
			s.Asked.Multicast != 1 || s.Asked.Unicast < 10 || s.Sent.Messages < s.Asked.Unicast || s.Sent.Octets < 1000 || s.Received.Messages == 0 || b.Firmware == nil || b.Network == nil {
			t.Errorf("session %+v of %+v", s, b)
		}
		for _, typ := range []uint8{0, 5, 16, 29, 30, 31} {
			if !slices.Contains(s.TLVs, typ) {
				t.Errorf("TLV %d is missing: %v", typ, s.TLVs)
			}
		}
	}
	agents := 0
	for _, n := range mine.Nodes {
		if n.BorderRouter {
			agents++
		}
	}
	if tried != agents || len(doc.Borders) != 6 {
		t.Errorf("%d of %d tried, want %d of 6", tried, len(doc.Borders), agents)
	}
	asText, errs, status := u.run("", "report", "--border-routers", "--ask", w.MDNS().String())
	if status != exitDone || strings.Count(asText, "\n**") != 6 || strings.Count(asText, "became commissioner, complete") != agents {
		t.Errorf("status %d, %s%s", status, asText, errs)
	}
	t.Logf("%s", asText)
	for _, secret := range identifying(home) {
		for _, text := range []string{asText, asJSON} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("the report tells %q", secret)
			}
		}
	}
	if out, _, _ := u.run("", "render"); out != "" {
		t.Error("the report was saved as a scan")
	}
}

// atOnce is a world whose far nodes reach a new commissioner at once.
func atOnce() world.Options {
	o := reachable()
	o.BorderAgent = func(*mesh.Mesh, *mesh.Node) borderagent.Options { return borderagent.Options{Settle: -1} }
	return o
}

// identifying are all that could tell whose home it is.
func identifying(home *mesh.Home) (out []string) {
	out = append(out, "127.0.0.1", "thread://")
	for _, m := range home.Networks {
		v := m.View()
		out = append(out, m.Name, m.ExtPANID.String(), hex.EncodeToString(m.NetworkKey[:]), hex.EncodeToString(m.PSKc[:]), m.MeshLocalPrefix.Addr().String(), fmt.Sprintf("0x%04x", m.PANID))
		for i := range m.Nodes {
			n := &m.Nodes[i]
			out = append(out, n.ExtAddr.String(), fmt.Sprintf("0x%04x", n.RLOC16()), v.MLEID(i).String())
			for _, id := range n.Matter {
				out = append(out, fmt.Sprintf("%016x", id.Node), fmt.Sprintf("%016x", id.Fabric))
			}
			if n.BorderAgentID != "" {
				out = append(out, n.BorderAgentID, fmt.Sprintf("%s #%s", n.Name, n.ExtAddr.String()[12:]))
			}
			if !strings.Contains(strings.ToLower(n.Vendor+" "+n.Model), strings.ToLower(n.Name)) {
				out = append(out, n.Name)
			}
		}
	}
	return out
}

// TestReportOfFailures: what went wrong is told in words that quote nobody, and
// a key that was refused is not tried at the next border router.
func TestReportOfFailures(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, atOnce())
	u := newUser(t)
	mine := home.Networks[0]
	u.run("00112233445566778899aabbccddeeff", "login", "thread", "--network", mine.ExtPANID.String(), "--file", "-")
	out, errs, status := u.run("", "report", "--border-routers", "--ask", w.MDNS().String())
	if status != exitPartial || strings.Count(out, "- session: with PSKc, reached handshake, the key was refused\n") != 1 || !strings.Contains(out, "not tried: the key was wrong for another border router of its network") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	refused := func() (n int) {
		for _, a := range w.BorderAgents() {
			n += a.Server.Stats().Refused
		}
		return n
	}
	for end := time.Now().Add(10 * time.Second); refused() == 0 && time.Now().Before(end); {
		runtime.Gosched() // the agent counts after it has answered
	}
	if n := refused(); n != 1 {
		t.Errorf("%d refused", n)
	}

	lab := mesh.Lab(0)
	a, at := serveAgent(t, lab, borderagent.Options{Steering: []byte{0xff}, SecondCommissioner: "Anna's phone"})
	u = newUser(t)
	u.run(datasetOf(lab), "login", "thread", "--file", "-")
	out, errs, status = u.run("", "report", "--border-routers", "--agent", at.String())
	if status != exitPartial || !strings.Contains(out, "- announced: named by its address\n- session: with PSKc, reached ask, a device was being added\n") || strings.Contains(out, "Anna") || strings.Contains(out, "127.0.0.1") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if n := a.Stats().Requests["c/cp"]; n != 0 {
		t.Errorf("petitioned %d times", n)
	}
	nobody, end, err := respond(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	for _, x := range []struct {
		status int
		want   string
		args   []string
	}{
		{exitUsage, "is for --border-routers", []string{"--ask", "127.0.0.1"}},
		{exitUsage, "is for the report on a home", []string{"--border-routers", "--redact"}},
		{exitUsage, "argument is too many", []string{"--border-routers", "x"}},
		{exitFailed, "no border router is announced", []string{"--border-routers", "--ask", nobody}},
		{exitFailed, `none is announced that "cellar" fits`, []string{"--border-routers", "--agent", "cellar", "--ask", announceHome(t, lab, at.Port(), nil)}},
	} {
		out, errs, status := u.run("", append([]string{"report"}, x.args...)...)
		if status != x.status || out != "" || !strings.Contains(errs, x.want) {
			t.Errorf("%q: status %d, %s%s", x.args, status, out, errs)
		}
	}
}

// TestReportWithCode: the border router that shows a code is tried with it, and
// told with what its border agent announces.
func TestReportWithCode(t *testing.T) {
	t.Parallel()
	lab := mesh.Lab(0)
	a, at := serveAgent(t, lab, borderagent.Options{EphemeralCode: rightCode, Settle: -1})
	out, errs, status := newUser(t).run(rightCode, "report", "--border-routers", "--code-file", "-", "--ask", announceHome(t, lab, 1, map[string]netip.AddrPort{"LabBR #0101": at}))
	if status != exitDone || strings.Count(out, "\n**") != 1 || !strings.Contains(out, "- announced: state 0x") || !strings.Contains(out, "session: with one-time code, reached ask, became commissioner, complete") || a.Stats().Sessions != 1 {
		t.Errorf("status %d, %d sessions\n%s%s", status, a.Stats().Sessions, out, errs)
	}
}

// TestReportQuotesNothingAlive: what makers say of themselves can't become
// Markdown or act on a terminal.
func TestReportQuotesNothingAlive(t *testing.T) {
	at, end, err := respond(hostileServices())
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	out, errs, status := newUser(t).run("", "report", "--border-routers", "--ask", at)
	if status != exitDone || strings.ContainsAny(out, "\x1b\x07\x00\u202e") || strings.Contains(out, "<b>") || strings.Count(out, "\n") > 12 {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

func TestLetters(t *testing.T) {
	var b bytes.Buffer
	for _, i := range []int{0, 1, 25, 26, 27, 701, 702} {
		fmt.Fprintf(&b, "%s ", letters(i))
	}
	if got := b.String(); got != "A B Z AA AB ZZ AAA " {
		t.Error(got)
	}
}
