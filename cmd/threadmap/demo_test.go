package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
	"threadmap/topology"
)

// differsFromHome lists what of a map is not as the home is, node by node and
// link by link: who hangs on whom in which role, what each end hears, and the
// names that are announced.
func differsFromHome(t *testing.T, home *mesh.Home, m *topology.Map) {
	t.Helper()
	byAddr := map[diag.ExtAddr]*topology.Node{}
	for _, n := range m.Nodes {
		byAddr[n.ExtAddr] = n
	}
	children, links, named := 0, 0, 0
	for _, net := range home.Networks {
		v := net.Truth()
		for i := range net.Nodes {
			want := &net.Nodes[i]
			n := byAddr[want.ExtAddr]
			if n == nil {
				t.Errorf("%s is missing", want.Name)
				continue
			}
			role := net.Role(i)
			if role == diag.RoleREED && n.Role != role {
				role = diag.RoleEndDevice // the mode of a child can't tell, Matter can
			}
			if n.RLOC16 != diag.MakeRLOC16(want.RLOC16()) || n.Role != role || n.State != topology.NodeOK || n.Network == nil || n.Network.ExtPANID != net.ExtPANID || len(n.Conflicts) > 0 {
				t.Errorf("%s: %s %s %s in %v, conflicts %v; want %04x %s", want.Name, n.RLOC16, n.Role, n.State, n.Network, n.Conflicts, want.RLOC16(), role)
			}
			if n.BorderRouter.Or(false) != want.BorderRouter || want.BorderRouter && n.BorderAgentID != want.BorderAgentID {
				t.Errorf("%s: border router %v, border agent %q", want.Name, n.BorderRouter, n.BorderAgentID)
			}
			if p := v.Parent(i); p >= 0 {
				children++
				if n.Parent == nil || n.Parent != byAddr[net.Nodes[p].ExtAddr] {
					t.Errorf("%s: parent %v, want %s", want.Name, n.Parent, net.Nodes[p].Name)
				}
			} else if n.Parent != nil {
				t.Errorf("%s: a router has the parent %s", want.Name, n.Parent.ID)
			}
			// What it registered is found by its host, which is its extended address.
			for _, id := range want.Matter {
				if !slices.Contains(n.Matter, id) {
					t.Errorf("%s: Matter ids %v, want %v", want.Name, n.Matter, id)
				}
			}
			if !want.BorderRouter && (want.Vendor == "Eve Systems" || want.Vendor == "Nanoleaf") { // HomeKit accessories
				if named++; n.Name != want.Name {
					t.Errorf("%s is called %q", want.Name, n.Name)
				}
			}
		}
		links += len(net.Links)
		for _, l := range net.Links {
			sameLink(t, net, l, m, byAddr)
		}
	}
	if len(m.Networks) != len(home.Networks) || len(m.Nodes) != home.Nodes() || len(m.Links) != links || children == 0 || named < 10 {
		t.Errorf("%d networks, %d nodes, %d links, %d children, %d names; want %d, %d, %d", len(m.Networks), len(m.Nodes), len(m.Links), children, named, len(home.Networks), home.Nodes(), links)
	}
}

// sameLink compares both directions of a link. What a child hears is known to
// nobody but the child, which is not asked; all else is to be known.
func sameLink(t *testing.T, net *mesh.Mesh, l mesh.Link, m *topology.Map, byAddr map[diag.ExtAddr]*topology.Node) {
	t.Helper()
	a, b := byAddr[net.Nodes[l.A].ExtAddr], byAddr[net.Nodes[l.B].ExtAddr]
	k := slices.IndexFunc(m.Links, func(x *topology.Link) bool { return x.A == a && x.B == b || x.A == b && x.B == a })
	if k < 0 {
		t.Errorf("no link %s - %s", net.Nodes[l.A].Name, net.Nodes[l.B].Name)
		return
	}
	ab, ba := m.Links[k].AToB, m.Links[k].BToA
	if m.Links[k].A != a {
		ab, ba = ba, ab
	}
	for _, d := range []struct {
		to   int
		got  topology.Direction
		want mesh.Direction
	}{{l.B, ab, l.AToB}, {l.A, ba, l.BToA}} {
		if !net.Nodes[d.to].IsRouter() {
			continue
		}
		if d.got.LQ != diag.Some(d.want.LQ) || d.got.RSSI != diag.Some(d.want.RSSI) || d.got.Margin != diag.Some(d.want.Margin) {
			t.Errorf("link %s - %s: %s hears %v, %v dBm, margin %v; want %+v", net.Nodes[l.A].Name, net.Nodes[l.B].Name, net.Nodes[d.to].Name, d.got.LQ, d.got.RSSI, d.got.Margin, d.want)
		}
	}
}

// rolesAreFree: no scan leaves a commissioner behind.
func rolesAreFree(t *testing.T, w *world.World) {
	t.Helper()
	for _, a := range w.BorderAgents() {
		if id, held := a.Server.Commissioner(); held {
			t.Errorf("%s: %q still has the commissioner's role", a.Name, id)
		}
	}
}

// The demo's map is the home.
func TestDemoEqualsTheModel(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, world.Options{})
	scan, err := quiet().scanWorld(context.Background(), w)
	if err != nil || !scan.Complete || len(scan.Sources) != 1+len(w.OTBRs())+len(home.Networks) {
		t.Fatalf("%v, %+v, %v", err, scan.Sources, scan.Problems)
	}
	t.Logf("%v", scan.To.Sub(scan.From))
	differsFromHome(t, home, topology.Build(scan.Reports))
	rolesAreFree(t, w)
}

// So is that of a scan with nothing but the keys of its networks, as a real
// home without OpenThread border routers is scanned.
func TestKeysAloneEqualTheModel(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, world.Options{})
	scan, _ := quiet().collect(t.Context(), threadJob(t, w, worldKeys(w)))
	if !scan.Complete || len(scan.Sources) != 1+len(home.Networks) {
		t.Fatalf("%+v, %v", scan.Sources, scan.Problems)
	}
	differsFromHome(t, home, topology.Build(scan.Reports))
	rolesAreFree(t, w)
}

// The demo needs no rights and no network: nobody, on a machine that has a
// loopback interface and no other, sees it in full.
func TestDemoAsNobody(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("needs Linux and root, to be nobody in a network namespace of its own")
	}
	for _, tool := range []string{"unshare", "ip", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	program, err := exec.LookPath("threadmap")
	if err != nil {
		t.Fatal(err)
	}
	// Folders of a test are root's own; the program is copied to where nobody may
	// read it.
	dir, err := os.MkdirTemp("", "threadmap-demo")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	copied := filepath.Join(dir, "threadmap")
	b, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(copied, b, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	const nobody = "65534"
	c := exec.Command("unshare", "--net", "sh", "-c", `ip link set lo up && exec setpriv --reuid=`+nobody+` --regid=`+nobody+` --clear-groups --no-new-privs "$0" demo --json`, copied)
	c.Dir = dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
	out, err := c.Output()
	if err != nil {
		stderr := ""
		if ee, ok := err.(*exec.ExitError); ok {
			stderr = string(ee.Stderr)
		}
		t.Fatalf("%v: %s", err, stderr)
	}
	if len(out) < 10000 || !bytes.Contains(out, []byte(`"complete":true`)) {
		t.Errorf("the map has %d octets, and is not complete", len(out))
	}
	if _, err := os.Stat(filepath.Join(dir, demoPicture)); err != nil {
		t.Error(err)
	}
}
