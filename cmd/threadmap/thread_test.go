package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/pskc"
	"threadmap/discovery"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
	"threadmap/topology"
)

// hereOnly is the announced address of border routers that are to be reached.
func hereOnly(*mesh.Node) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} }

// cmdDataset writes the operational dataset of a home's first network as a
// border router's command line prints it, network key included.
func cmdDataset(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "dataset lab|home FILE")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(datasetOf(home(ts, args[0]).Networks[0])+"\r\nDone\r\n"), 0o600))
}

func datasetOf(m *mesh.Mesh) string {
	b := binary.BigEndian.AppendUint64([]byte{2, 8}, uint64(m.ExtPANID))
	for _, t := range []struct {
		typ byte
		v   []byte
	}{{3, []byte(m.Name)}, {5, m.NetworkKey[:]}, {4, m.PSKc[:]}} {
		b = append(append(b, t.typ, byte(len(t.v))), t.v...)
	}
	return hex.EncodeToString(b)
}

// keysOf are the credentials of a home's networks.
func keysOf(t *testing.T, home *mesh.Home) keyring {
	keys := keyring{}
	for _, m := range home.Networks {
		s, err := pskc.New(m.PSKc[:])
		if err != nil {
			t.Fatal(err)
		}
		keys[m.ExtPANID] = state.Credential{ExtPANID: m.ExtPANID, Network: m.Name, PSKc: s}
	}
	return keys
}

// threadJob is a scan that finds the world's border agents by what it announces
// and asks nobody else.
func threadJob(t *testing.T, w *world.World, keys keyring) job {
	r, err := parseResponder(w.MDNS().String())
	if err != nil {
		t.Fatal(err)
	}
	return job{limit: time.Minute, lan: &lan{ask: []responder{r}, explicit: true, settle: demoSettle},
		plan: planned([]diag.Source{tmf.Source{Credentials: keys.find}}, nil)}
}

func quiet() *app { return &app{err: io.Discard, getenv: func(string) string { return "" }} }

// TestCredentialsGiveTheModel: with nothing but the credentials every child of
// the home is under its parent, and every link has its qualities.
func TestCredentialsGiveTheModel(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, reachable())
	scan, services := quiet().collect(t.Context(), threadJob(t, w, keysOf(t, home)))
	if !scan.Complete || len(services) == 0 || len(scan.Sources) != 1+len(home.Networks) {
		t.Fatalf("complete %v, %d services, %+v, %v", scan.Complete, len(services), scan.Sources, scan.Problems)
	}
	m := topology.Build(scan.Reports)
	byID := map[string]*topology.Node{}
	for _, n := range m.Nodes {
		byID[n.ID] = n
	}
	children, links := 0, 0
	for _, net := range home.Networks {
		v := net.Truth()
		for i := range net.Nodes {
			want := &net.Nodes[i]
			n := byID[want.ExtAddr.String()]
			if n == nil || n.RLOC16 != diag.MakeRLOC16(want.RLOC16()) {
				t.Errorf("%s: %+v", want.Name, n)
				continue
			}
			p := v.Parent(i)
			if p < 0 {
				if n.Parent != nil {
					t.Errorf("%s: a router has the parent %s", want.Name, n.Parent.ID)
				}
				continue
			}
			children++
			if n.Parent == nil || n.Parent.ExtAddr != net.Nodes[p].ExtAddr {
				t.Errorf("%s: parent %v, want %s", want.Name, n.Parent, net.Nodes[p].Name)
			}
		}
		links += len(net.Links)
		for _, l := range net.Links {
			a, b := net.Nodes[l.A].ExtAddr, net.Nodes[l.B].ExtAddr
			k := slices.IndexFunc(m.Links, func(x *topology.Link) bool {
				return x.A.ExtAddr == a && x.B.ExtAddr == b || x.A.ExtAddr == b && x.B.ExtAddr == a
			})
			if k < 0 {
				t.Errorf("no link %s - %s", net.Nodes[l.A].Name, net.Nodes[l.B].Name)
				continue
			}
			ab, ba := m.Links[k].AToB, m.Links[k].BToA
			if m.Links[k].A.ExtAddr != a {
				ab, ba = ba, ab
			}
			if ab.LQ.Or(l.AToB.LQ) != l.AToB.LQ || ba.LQ.Or(l.BToA.LQ) != l.BToA.LQ || !ab.LQ.Known() && !ba.LQ.Known() {
				t.Errorf("link %s - %s: %v %v, want %d %d", net.Nodes[l.A].Name, net.Nodes[l.B].Name, ab.LQ, ba.LQ, l.AToB.LQ, l.BToA.LQ)
			}
		}
	}
	if len(m.Nodes) != home.Nodes() || len(m.Links) != links || children == 0 {
		t.Errorf("%d nodes, %d links, %d children; want %d, %d", len(m.Nodes), len(m.Links), children, home.Nodes(), links)
	}
	for _, a := range w.BorderAgents() {
		if id, held := a.Server.Commissioner(); held {
			t.Errorf("%s: %q still has the commissioner's role", a.Name, id)
		}
	}
}

func reachable() (o world.Options) {
	o.MDNS.Address = hereOnly
	return o
}

// TestCtrlCGivesTheRoleBack: a scan that is stopped in the middle of a session
// keeps what was learnt, and leaves no commissioner behind.
func TestCtrlCGivesTheRoleBack(t *testing.T) {
	t.Parallel()
	home := &mesh.Home{Name: "Lab", Networks: []*mesh.Mesh{mesh.Lab(0)}}
	w := startWorld(t, home, reachable())
	agents := w.BorderAgents()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	j := threadJob(t, w, keysOf(t, home))
	var once sync.Once
	held := false
	plan := j.plan
	scan := &diag.Scan{Complete: true}
	services := listen(ctx, j, scan, nil)
	heard := len(scan.Reports)
	ask(ctx, plan(services), scan, func(p diag.Progress) {
		if p.Reports > 1 { // the border agent itself, and a node of the mesh
			once.Do(func() {
				_, held = agents[0].Server.Commissioner()
				cancel()
			})
		}
	})
	problems := scan.Problems
	if !held || len(scan.Reports)-heard < 2 {
		t.Fatalf("held %v, %d reports, %v", held, len(scan.Reports)-heard, problems)
	}
	if id, held := agents[0].Server.Commissioner(); held {
		t.Errorf("%q still has the commissioner's role", id)
	}
	if len(problems) != 1 || !strings.Contains(problems[0].Text, "stopped") {
		t.Errorf("%v", problems)
	}
}

// TestOneHintForEachNetwork: the REST interface of an OpenThread border router
// comes first, else a credential; a network that there is a credential of, or
// whose agents let nobody in, is not spoken of.
func TestOneHintForEachNetwork(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, world.Options{})
	j := threadJob(t, w, nil)
	j.plan = planned(nil, nil)
	scan, all := quiet().collect(t.Context(), j)
	hints := func(all []discovery.Service, keys keyring) (rest, thread int) {
		told := map[string]bool{}
		for _, s := range wouldAdd(scan, all, nil, keys) {
			network := s.Hint[:strings.LastIndex(s.Hint, ": threadmap login otbr ")+1]
			if s.Name == tmf.Name {
				thread++
				if network = s.Via; !strings.HasPrefix(s.Hint, "threadmap login thread would show the whole mesh of ") {
					t.Errorf("%+v", s)
				}
			} else {
				rest++
			}
			if told[network] || s.State != diag.StateSkipped {
				t.Errorf("%+v again", s)
			}
			told[network] = true
		}
		return rest, thread
	}
	if rest, thread := hints(all, nil); rest != 3 || thread != 0 {
		t.Errorf("%d and %d hints", rest, thread)
	}
	keys := keysOf(t, home)
	if rest, thread := hints(all, keys); rest+thread != 0 {
		t.Errorf("%d and %d hints where there are credentials of all", rest, thread)
	}
	foreign := slices.DeleteFunc(slices.Clone(all), func(s discovery.Service) bool {
		return s.Kind == discovery.KindMeshCoP && !strings.Contains(s.Instance, "HomePod") && !strings.Contains(s.Instance, "Nest Hub")
	})
	if rest, thread := hints(foreign, nil); rest != 0 || thread != 2 {
		t.Errorf("%d and %d hints without OpenThread border routers", rest, thread)
	}
	delete(keys, home.Networks[0].ExtPANID)
	if rest, thread := hints(foreign, keys); rest != 0 || thread != 1 {
		t.Errorf("%d and %d hints with a credential of one", rest, thread)
	}
	for i := range foreign {
		foreign[i].TXT = slices.Clone(foreign[i].TXT)
		for k, entry := range foreign[i].TXT {
			if text := string(entry); strings.HasPrefix(text, "sb=") {
				foreign[i].TXT[k] = []byte("sb=\x00\x00\x00\x10") // connection mode 0
			}
		}
	}
	if rest, thread := hints(foreign, nil); rest+thread != 0 {
		t.Errorf("%d and %d hints where nobody is let in", rest, thread)
	}
}

// TestReadThreadCredential: what a person may hand over, and that no error
// tells it.
func TestReadThreadCredential(t *testing.T) {
	lab := mesh.Lab(0)
	key := hex.EncodeToString(lab.PSKc[:])
	dataset := datasetOf(lab)
	noID := dataset[20:] // without its first TLV
	derived, err := pskc.Derive([]byte("12SECRETPASSWORD34"), lab.ExtPANID, lab.Name)
	if err != nil {
		t.Fatal(err)
	}
	known := state.Credential{ExtPANID: lab.ExtPANID, Network: lab.Name}
	for what, x := range map[string]struct {
		in   state.Credential
		s    string
		pskc []byte
	}{
		"dataset":                  {state.Credential{}, dataset, lab.PSKc[:]},
		"dataset in lines":         {state.Credential{}, strings.ToUpper(dataset[:40]) + "\r\n" + dataset[40:] + "\r\nDone", lab.PSKc[:]},
		"dataset of that network":  {known, dataset, lab.PSKc[:]},
		"dataset without XPANID":   {known, noID, lab.PSKc[:]},
		"PSKc":                     {known, key, lab.PSKc[:]},
		"PSKc with colons":         {known, "82:bd:66:99:5a:b1:50:de:4d:ab:94:39:37:b2:b6:6d", lab.PSKc[:]},
		"passphrase":               {known, "12SECRETPASSWORD34", derived.Bytes()},
		"passphrase of hex digits": {known, "decade", nil},
	} {
		c := x.in
		if err := readThreadCredential(&c, x.s); err != nil || c.ExtPANID != lab.ExtPANID || c.Network != lab.Name || x.pskc != nil && !bytes.Equal(c.PSKc.Bytes(), x.pskc) || c.PSKc.IsZero() {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
	for what, x := range map[string]struct {
		in      state.Credential
		s, want string
	}{
		"dataset of another network":       {state.Credential{ExtPANID: 1}, dataset, "--network"},
		"dataset without a network":        {state.Credential{}, noID, "--network"},
		"dataset without PSKc":             {state.Credential{}, dataset[:len(dataset)-36], "no PSKc"},
		"dataset that is cut off":          {state.Credential{}, dataset[:len(dataset)-2], "cut off"},
		"dataset that lost a digit":        {state.Credential{}, dataset[1:], "odd"},
		"PSKc without a network":           {state.Credential{}, key, "--network"},
		"PSKc that lost a digit":           {known, key[1:], "PSKc"},
		"PSKc with an octet more":          {known, key + "00", "PSKc"},
		"passphrase without a network":     {state.Credential{}, "12SECRETPASSWORD34", "--network"},
		"passphrase without a name":        {state.Credential{ExtPANID: 1}, "12SECRETPASSWORD34", "--name"},
		"short passphrase":                 {known, "12345", "passphrase"},
		"long passphrase":                  {known, strings.Repeat("x", 256), "passphrase"},
		"passphrase of two lines":          {known, "12SECRET\nPASSWORD34", "one line"},
		"passphrase that is not UTF-8":     {known, "12SECRET\xffPASSWORD34", "one line"},
		"a document that holds the secret": {known, `{"pskc":` + "\n" + `"` + key + `"}`, "one line"},
	} {
		c := x.in
		err := readThreadCredential(&c, x.s)
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", what, err, x.want)
			continue
		}
		for i := 0; len(x.s) > 8 && i+6 <= len(x.s); i++ {
			if part := x.s[i : i+6]; strings.Contains(err.Error(), part) && !strings.Contains(lab.ExtPANID.String(), part) {
				t.Errorf("%s: the error tells %q: %v", what, part, err)
			}
		}
	}
}
