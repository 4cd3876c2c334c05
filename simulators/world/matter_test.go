package world

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	matter "threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/matternode"
	"threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
	"threadmap/tlv"
)

// answers are what the home's responder says.
func answers(t *testing.T, w *World, name string, kind uint16) (out []dns.RR) {
	t.Helper()
	q := new(dns.Msg).SetQuestion(name, kind)
	c := dns.Client{Timeout: 300 * time.Millisecond} // who has nothing to say says nothing
	r, _, err := c.Exchange(q, w.MDNS().String())
	if err != nil {
		return nil
	}
	return append(r.Answer, r.Extra...)
}

// resolve is where an instance is announced to be.
func resolve(t *testing.T, w *World, instance string) netip.AddrPort {
	t.Helper()
	var port uint16
	for _, rr := range answers(t, w, instance+"._matter._tcp.local.", dns.TypeSRV) {
		switch r := rr.(type) {
		case *dns.SRV:
			port = r.Port
		case *dns.A:
			a, _ := netip.AddrFromSlice(r.A.To4())
			return netip.AddrPortFrom(a, port)
		case *dns.AAAA:
			a, _ := netip.AddrFromSlice(r.AAAA)
			if !a.IsLoopback() {
				t.Errorf("%s is announced in the mesh, too: %v", instance, a)
			}
			return netip.AddrPortFrom(a, port)
		}
	}
	return netip.AddrPort{}
}

// Over real sockets: every Matter device of the home is found by its instance,
// lets its fabric's administrator in and says who it is.
func TestMatterNodes(t *testing.T) {
	home := mesh.TroubledHome(1)
	w, err := Start(home, Options{Matter: &MatterOptions{}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	want := 0
	for _, m := range home.Networks {
		for i := range m.Nodes {
			if len(m.Nodes[i].Matter) > 0 {
				want++
			}
		}
	}
	if nodes := w.MatterNodes(); len(nodes) != want || want < 40 {
		t.Fatalf("%d devices of %d", len(nodes), want)
	}
	pc, err := net.ListenPacket("udp", netip.AddrPortFrom(w.MatterNodes()[0].Addr.Addr(), 0).String())
	if err != nil {
		t.Fatal(err)
	}
	ep := transport.New(pc, transport.Options{})
	defer ep.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	us := w.Fabric().Member()
	for _, n := range w.MatterNodes() {
		at := resolve(t, w, us.InstanceName(n.ID))
		if at != n.Addr {
			t.Errorf("%s is announced at %v, and listens at %v", n.Name, at, n.Addr)
		}
		if n.Name == "Attic plug" { // it does not answer
			continue
		}
		s, err := session.CASE(ctx, ep, session.CASEConfig{Member: us, Node: n.ID, Addresses: []netip.AddrPort{at}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := matter.Read(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{im.One(0, 0x35, 0x3F)}})
		if err != nil {
			t.Fatal(err)
		}
		v, _ := r.Attributes.Value(im.Path{Cluster: 0x35, Attribute: 0x3F})
		d := tlv.NewDecoder(v.Data)
		if d.Next(); d.Uint() != uint64(n.Node) {
			t.Errorf("%s says it is %016x", n.Name, d.Uint())
		}
		s.Close()
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// A device that waits to be paired is announced so, and no longer when it does
// not wait any more.
func TestWaitingToBePaired(t *testing.T) {
	w, err := Start(mesh.HomeOf50(1), Options{Matter: &MatterOptions{}, MDNSBehaviour: mdns.Behaviour{PTROnly: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	n := w.MatterNodes()[3]
	waiting := func() bool {
		d, open := n.Server.Window()
		return open && len(answers(t, w, fmt.Sprintf("_L%d._sub._matterc._udp.local.", d), dns.TypePTR)) == 1
	}
	until := func(what string, f func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !f(); {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	code, err := n.Server.OpenWindow(5 * time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	until("not announced as waiting", waiting)
	if d, _ := n.Server.Window(); !code.Discriminator.Matches(d) {
		t.Errorf("discriminator %d", d)
	}
	n.Server.CloseWindow()
	until("still announced as waiting", func() bool { return len(answers(t, w, "_CM._sub._matterc._udp.local.", dns.TypePTR)) == 0 })
}

// Devices out of their boxes, announced as one host with an address on which
// nobody listens.
func TestUnpaired(t *testing.T) {
	nobody := netip.MustParseAddr("192.0.2.9")
	w, err := Start(&mesh.Home{Networks: []*mesh.Mesh{mesh.HomeOf50(1).Networks[2]}}, Options{Matter: &MatterOptions{
		Unpaired: true,
		Node: func(*mesh.Mesh, *mesh.Node) matternode.Options {
			return matternode.Options{Quirks: matternode.Quirks{EmptyTXT: true}}
		},
		Place: func(_ MatterNode, at matternode.Place) matternode.Place {
			at.Host, at.Addrs = "0200000000010000", append([]netip.Addr{nobody}, at.Addrs...)
			return at
		},
	}, MDNSBehaviour: mdns.Behaviour{OneOfMany: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.MatterNodes()) < 3 {
		t.Fatal("no devices")
	}
	for _, n := range w.MatterNodes() {
		if _, open := n.Server.Window(); !open || n.Server.Setup().Passcode.IsZero() {
			t.Errorf("%s does not wait to be paired", n.Name)
		}
		d, _ := n.Server.Window()
		found := answers(t, w, fmt.Sprintf("_L%d._sub._matterc._udp.local.", d), dns.TypePTR)
		if !slices.ContainsFunc(found, func(rr dns.RR) bool {
			s, ok := rr.(*dns.SRV)
			return ok && s.Port == n.Addr.Port() && strings.HasPrefix(s.Target, "0200000000010000.")
		}) {
			t.Errorf("%s: %v", n.Name, found)
		}
	}
	if all := answers(t, w, "_matterc._udp.local.", dns.TypePTR); len(slices.DeleteFunc(all, func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypePTR })) != 1 {
		t.Errorf("%d answers to a browse", len(all))
	}
}
