package meshcop

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"threadmap/diag"
	"threadmap/discovery"
)

// service is a border agent's announcement; state 0: no state bitmap.
func service(t *testing.T, kind discovery.Kind, instance, host string, port uint16, network uint64, partition, state uint32, addrs ...string) discovery.Service {
	t.Helper()
	name, err := kind.InstanceName(instance)
	if err != nil {
		t.Fatal(err)
	}
	h, err := discovery.NewName(host, "local")
	if err != nil {
		t.Fatal(err)
	}
	s := discovery.Service{Kind: kind, Instance: instance, Name: name, Host: h, Port: port, TXT: discovery.TXT{{}}}
	if kind == discovery.KindMeshCoP {
		s.TXT = discovery.TXT{[]byte("rv=1"), []byte("nn=ThreadMapLab"), append([]byte("xa="), 0x0e, 1, 1, 1, 1, 1, 1, 1), []byte("vn=LabBR"),
			append([]byte("id="), make([]byte, 16)...)}
		if network != 0 {
			s.TXT = append(s.TXT, binary.BigEndian.AppendUint64([]byte("xp="), network))
		}
		if partition != 0 {
			s.TXT = append(s.TXT, binary.BigEndian.AppendUint32([]byte("pt="), partition))
		}
		if state != 0 {
			s.TXT = append(s.TXT, binary.BigEndian.AppendUint32([]byte("sb="), state))
		}
	}
	for _, a := range addrs {
		s.Addresses = append(s.Addresses, netip.MustParseAddr(a))
	}
	return s
}

const lab = 0xdead00beef00cafe

func TestChoose(t *testing.T) {
	const (
		leader   = 0x1fb1 // captured: PSKc, active, high availability, leader
		router   = 0x1db1 // captured
		child    = 0x1bb1 // the same as a child
		rarely   = 0x1d91 // … with infrequent availability
		old      = 0x0031 // only the bits that old firmware knows
		closed   = 0x1fb0 // connection mode 0
		vendor   = 0x1fb3
		detached = 0x1da9 // its Thread interface is not active
	)
	bm := discovery.KindMeshCoP
	services := []discovery.Service{
		service(t, bm, "rarely", "a", 1, lab, 7, rarely, "fd11::1"),
		service(t, bm, "detached", "b", 1, lab, 7, detached, "fd11::2"),
		service(t, bm, "child", "c", 1, lab, 7, child, "fd11::3"),
		service(t, bm, "closed", "d", 1, lab, 7, closed, "fd11::4"),
		service(t, bm, "router", "e", 1, lab, 7, router, "fe80::1%eth0", "192.0.2.1", "fd11::5", "fe80::1"),
		service(t, bm, "old", "f", 1, lab, 7, old, "fd11::6"),
		service(t, bm, "says nothing", "g", 1, lab, 7, 0, "fd11::7"),
		service(t, bm, "vendor", "h", 1, lab, 7, vendor, "fd11::8"),
		service(t, bm, "other half", "i", 1, lab, 9, leader, "fd11::9"),
		service(t, bm, "other network", "j", 1, 5, 9, leader, "fd11::a"),
		service(t, bm, "no network", "k", 1, 0, 0, leader, "fd11::b"),
		service(t, bm, "nowhere", "l", 1, lab, 7, leader),
		service(t, discovery.KindMeshCoPE, "one-time of the router", "e", 2, 0, 0, 0, "fd11::5"),
		service(t, discovery.KindMeshCoPE, "one-time by address", "x", 2, 0, 0, 0, "fd11::9"),
		service(t, discovery.KindMeshCoPE, "one-time of nobody", "y", 2, 0, 0, 0, "fd11::ff"),
		service(t, discovery.KindTREL, "trel", "e", 3, 0, 0, 0, "fd11::5"),
	}
	want := []string{"no network", "one-time of nobody", "other network", "router", "old", "child", "rarely", "says nothing", "one-time of the router", "detached", "closed", "vendor", "other half", "one-time by address"}
	for range 3 {
		got := Choose(services)
		var names []string
		for _, a := range got {
			names = append(names, a.Instance)
		}
		if !slices.Equal(names, want) {
			t.Errorf("got  %q\nwant %q", names, want)
		}
		slices.Reverse(services)
	}
	by := map[string]Agent{}
	for _, a := range Choose(services) {
		by[a.Instance] = a
	}
	a := by["router"]
	var at []string
	for _, e := range a.Endpoints {
		at = append(at, e.String())
	}
	if !slices.Equal(at, []string{"[fd11::5]:1", "192.0.2.1:1", "[fe80::1%eth0]:1"}) || a.Network != lab || a.Partition != diag.Some[uint32](7) ||
		a.ExtAddr != 0x0e01010101010101 || a.Vendor != "LabBR" || a.State != diag.Some[uint32](router) || a.Closed != "" || a.OneTime {
		t.Errorf("%v %+v", at, a)
	}
	if e := by["one-time of the router"]; !e.OneTime || e.Network != lab || e.ExtAddr != a.ExtAddr || e.Endpoints[0].Port() != 2 {
		t.Errorf("%+v", e)
	}
	if e := by["one-time of nobody"]; !e.OneTime || e.Network != 0 {
		t.Errorf("%+v", e)
	}
	for name, open := range map[string]bool{"closed": false, "vendor": false, "detached": false, "old": true, "says nothing": true} {
		if (by[name].Closed == "") != open {
			t.Errorf("%s: %q", name, by[name].Closed)
		}
	}
}
