package mesh

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestYAMLRoundTrip(t *testing.T) {
	homes := map[string]*Home{"home": HomeOf50(3), "troubled": TroubledHome(3), "line": Line(34), "lab": {Name: "lab", Networks: []*Mesh{Lab(20)}}}
	for seed := range uint64(15) {
		h := Random(seed, RandomOptions{Faults: 5})
		homes[h.Name] = h
	}
	for name, h := range homes {
		b, err := MarshalYAML(h)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ParseYAML(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(h.Reports(ReportOptions{Names: true, RouteTable: true}), got.Reports(ReportOptions{Names: true, RouteTable: true})) {
			t.Errorf("%s: the home read back says other things", name)
		}
		again, err := MarshalYAML(got)
		if err != nil || string(again) != string(b) {
			t.Errorf("%s: written again it differs (%v)", name, err)
		}
	}
}

func TestExampleFile(t *testing.T) {
	b, err := os.ReadFile("testdata/flat.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseYAML(b)
	if err != nil {
		t.Fatal(err)
	}
	m := h.Networks[0]
	plug, button, air := m.FindName("Desk plug"), m.FindName("Hall button"), m.FindName("Air monitor")
	if n := m.Nodes[plug]; n.RLOC16() != 0 || n.ExtAddr != 0x0e02020202020202 {
		t.Errorf("plug %+v", n)
	}
	v := m.View()
	if v.Parent(button) != m.FindName("Kitchen border router") || !m.Nodes[button].Sleepy() || v.Parent(air) != m.FindName("Hall bulb") || m.Nodes[air].Mode.String() != "rn" {
		t.Error("children are wrong")
	}
	if c := v.Children(v.Parent(button)); len(c) != 1 || c[0].Heard.LQ != 1 || c[0].Age != 170*time.Second {
		t.Errorf("button's row %+v", c)
	}
	again, err := ParseYAML(b)
	if err != nil || !reflect.DeepEqual(h, again) {
		t.Errorf("what was left out is made up differently the second time (%v)", err)
	}
}

func TestYAMLRefuses(t *testing.T) {
	const head = "home: x\nnetworks:\n  - name: n\n    nodes:\n      - name: a\n"
	for name, c := range map[string]struct{ in, want string }{
		"empty":          {"", "networks"},
		"no yaml":        {"{", "home file"},
		"control":        {"\x00\x01", "home file"},
		"unknown word":   {head + "        colour: red\n", "colour"},
		"unknown parent": {head + "      - {name: b, parent: c}\n", `parent "c"`},
		"grandchild":     {head + "      - {name: b, parent: a}\n      - {name: c, parent: b}\n", "is a child itself"},
		"short address":  {head + "        ext_addr: \"0e01\"\n", "16 hexadecimal digits"},
		"router id":      {head + "        router_id: 63\n", "router id 63"},
		"channel":        {strings.Replace(head, "name: n\n", "name: n\n    channel: 9\n", 1), "channel 9"},
		"same name":      {head + "      - name: a\n      - {name: b, parent: a}\n", "several nodes"},
		"bad time":       {head + "        timeout: soon\n", "want a time"},
		"bad fault":      {head + "    faults: [{kind: fire, node: a}]\n", "no such fault"},
		"child id":       {head + "        child_id: 4\n", "without parent"},
		"key is secret":  {strings.Replace(head, "name: n\n", "name: n\n    network_key: \"0011223344\"\n", 1), "32 hexadecimal digits"},
		"anchors":        {"home: &a x\nnetworks: *a\n", "anchors"},
		"deep":           {"home: " + strings.Repeat("[", 1000), "nested"},
		"deep lines":     {"home:\n" + strings.Repeat("  [\n", 1000), "nested"},
		"large":          {strings.Repeat("#", maxYAML+1), "octets"},
		"long line":      {strings.Repeat("a", maxYAMLLine+1), "a line of 2001"},
		"many lines":     {strings.Repeat("-\n", maxYAMLLines+1), "20001 lines"},
	} {
		_, err := ParseYAML([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "0011223344") {
			t.Errorf("%s: the error quotes a key", name)
		}
	}
}

func FuzzParseYAML(f *testing.F) {
	for _, h := range []*Home{Line(4), Random(5, RandomOptions{Networks: 1, Routers: 3, Children: 2, Faults: 3})} {
		b, err := MarshalYAML(h)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("home: x\nnetworks:\n  - name: n\n    nodes:\n      - name: a\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseYAML(b)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("error of several lines: %q", err)
			}
			return
		}
		if err := h.Validate(); err != nil {
			t.Fatalf("a home that can't exist was accepted: %v", err)
		}
		h.Reports(ReportOptions{})
	})
}
