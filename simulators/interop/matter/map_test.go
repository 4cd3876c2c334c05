//go:build linux

package matter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"threadmap/diag"
	"threadmap/render"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// A document is what this test reads of a "threadmap-map".
type document struct {
	Nodes []struct {
		ID      string `json:"id"`
		ExtAddr string `json:"ext_addr"`
		RLOC16  string `json:"rloc16"`
		Role    string `json:"role"`
		Parent  string `json:"parent"`
		State   string `json:"state"`
		Name    string `json:"name"`
		Network string `json:"network"`
		Matter  []struct {
			Fabric string `json:"fabric"`
			NodeID string `json:"node_id"`
		} `json:"matter"`
	} `json:"nodes"`
	Links []struct {
		A    string    `json:"a"`
		B    string    `json:"b"`
		Kind string    `json:"kind"`
		AToB direction `json:"a_to_b"`
		BToA direction `json:"b_to_a"`
	} `json:"links"`
	Networks []struct {
		ID       string `json:"id"`
		ExtPANID string `json:"ext_pan_id"`
	} `json:"networks"`
	Problems []map[string]any `json:"problems"`
}

type direction struct {
	LQ   *int `json:"lq"`
	RSSI *int `json:"rssi"`
}

func (d direction) String() string {
	say := func(v *int) string {
		if v == nil {
			return "?"
		}
		return fmt.Sprint(*v)
	}
	return say(d.LQ) + "/" + say(d.RSSI)
}

// draw is the map of reports as other programs get it.
func draw(t *testing.T, reports []diag.Report) document {
	t.Helper()
	var b bytes.Buffer
	if err := render.JSON(&b, &render.Document{Map: topology.Build(reports)}, render.Options{}); err != nil {
		t.Fatal(err)
	}
	return parse(t, b.Bytes())
}

func parse(t *testing.T, b []byte) (d document) {
	t.Helper()
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatalf("%v: %.300s", err, b)
	}
	return d
}

// differences compares the map of a mesh with the mesh, node by node and link
// by link, in both directions: each of its nodes was asked.
func differences(m *mesh.Mesh, d document) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	networks, byExt, extOf := map[string]string{}, map[string]int{}, map[string]string{}
	for _, n := range d.Networks {
		networks[n.ID] = n.ExtPANID
	}
	hex := func(x diag.ExtAddr) string { return fmt.Sprintf("%016x", uint64(x)) }
	for i, n := range d.Nodes {
		byExt[n.ExtAddr], extOf[n.ID] = i, n.ExtAddr
	}
	v, found := m.View(), 0
	for i := range m.Nodes {
		want := &m.Nodes[i]
		k, ok := byExt[hex(want.ExtAddr)]
		if !ok {
			say("%s is missing", want.Name)
			continue
		}
		found++
		n := d.Nodes[k]
		if r := fmt.Sprintf("0x%04x", want.RLOC16()); n.RLOC16 != r {
			say("%s: RLOC16 %s, want %s", want.Name, n.RLOC16, r)
		}
		if r := string(m.Role(i)); n.Role != r {
			say("%s: role %s, want %s", want.Name, n.Role, r)
		}
		if x := networks[n.Network]; x != fmt.Sprintf("%016x", uint64(m.ExtPANID)) {
			say("%s: in network %q", want.Name, x)
		}
		if n.State != "ok" || n.Name != want.Name || len(n.Matter) == 0 {
			say("%s: name %q, state %s, Matter %v", want.Name, n.Name, n.State, n.Matter)
		}
		parent := ""
		if p := v.Parent(i); p >= 0 {
			parent = hex(m.Nodes[p].ExtAddr)
		}
		if extOf[n.Parent] != parent {
			say("%s: parent %q, want %q", want.Name, extOf[n.Parent], parent)
		}
	}
	if found != len(d.Nodes) {
		say("%d nodes, want %d", len(d.Nodes), found)
	}
	type ends [2]string
	heard := map[ends]direction{} // by the second of the first
	for _, l := range d.Links {
		a, b := extOf[l.A], extOf[l.B]
		heard[ends{a, b}], heard[ends{b, a}] = l.AToB, l.BToA
	}
	for _, l := range m.Links {
		a, b := hex(m.Nodes[l.A].ExtAddr), hex(m.Nodes[l.B].ExtAddr)
		for _, way := range []struct {
			ends
			want mesh.Direction
		}{{ends{a, b}, l.AToB}, {ends{b, a}, l.BToA}} {
			got, ok := heard[way.ends]
			lq, rssi := int(way.want.LQ), int(way.want.RSSI)
			if want := (direction{&lq, &rssi}); !ok || got.String() != want.String() {
				say("link %v: %v, want %v", way.ends, got, want)
			}
			delete(heard, way.ends)
		}
	}
	for e := range heard {
		say("link %v is not in the mesh", e)
	}
	return out
}
