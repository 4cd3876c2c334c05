package capture_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"threadmap/diag/icd/capture"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
)

// TestRealFile reads a file that tcpdump wrote. It has no Matter in it.
func TestRealFile(t *testing.T) {
	b, err := os.ReadFile("testdata/dtls.pcap")
	if err != nil {
		t.Fatal(err)
	}
	r, err := capture.Read(bytes.NewReader(b), capture.Options{})
	if err != nil || r.Counts.Packets != 6 || r.Counts.Malformed+r.Counts.Skipped > 0 || r.Counts.Matter > 0 || r.Len() != 0 || r.Node != "" {
		t.Errorf("%+v %v", r, err)
	}
	if y := r.Start.Year(); y < 2020 || r.End.Before(r.Start) {
		t.Errorf("%v to %v", r.Start, r.End)
	}
}

// TestRealBorderRouter: its record comes through as it does by live listening.
func TestRealBorderRouter(t *testing.T) {
	h := newHome(t)
	var real struct{ MeshCoP string }
	readJSON(t, &real)
	h.udp(650, at5353(router), group6, unhex(t, real.MeshCoP))
	_, tl := evaluate(t, h.end(900).read(capture.Options{Node: ext}), false)
	got := only(lines(t, tl), "LabBR")
	if !strings.Contains(got, `"pt":"3e1d2649"`) || !strings.Contains(got, `"omr":"40fdef7c1ef8fc0001"`) || !strings.Contains(got, `"xa":"0e01010101010101"`) {
		t.Error(got)
	}
}

// keys are a fabric of which we have the keys.
type keys struct {
	compressed, id uint64
	ipk            fabric.Key
	root           [65]byte
}

func (k keys) CompressedID() uint64 { return k.compressed }

func (k keys) DestinationID(random []byte, node uint64) [32]byte {
	return fabric.DestinationID(k.ipk, k.root, random, k.id, node)
}

var _ capture.Fabric = (*fabric.Member)(nil)

// TestOwnFabric: the hub's address is that of two fabrics; whose the session is
// follows from our keys.
func TestOwnFabric(t *testing.T) {
	c := messages(t).Case
	k := keys{}
	var err error
	k.compressed, err = strconv.ParseUint(c["compressedFabricId"], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	if k.id, err = strconv.ParseUint(c["fabricId"], 16, 64); err != nil {
		t.Fatal(err)
	}
	if k.ipk, err = fabric.NewKey(unhex(t, c["operational IPK"])); err != nil {
		t.Fatal(err)
	}
	copy(k.root[:], unhex(t, c["root pub"]))

	// The vector's Sigma1 is from the controller to the device.
	h := newHome(t)
	h.mdns(3, hubLocal, records(t, other+"-0000000000000099._matter._tcp.local. 120 IN SRV 0 0 5541 livingroom.local."))
	h.restart(600)
	h.udp(700, hubAt, deviceAt, plain(true, 0x43, 90, 10, message.Sigma1, unhex(t, c["Sigma1"])))
	h.end(900)
	for _, o := range []struct {
		own  []capture.Fabric
		want string
	}{
		{nil, ""},
		{[]capture.Fabric{k}, hubFabric},
	} {
		_, tl := evaluate(t, h.read(capture.Options{Node: ext, Fabrics: o.own}), false)
		got := only(lines(t, tl), `"event":"sigma1"`)
		if has := strings.Contains(got, `"fabric":"`+hubFabric); has != (o.want != "") || !has && strings.Contains(got, "fabric") {
			t.Errorf("with %d keys: %s", len(o.own), got)
		}
		if all := lines(t, tl); strings.Contains(all, hex.EncodeToString(k.ipk.Bytes())) {
			t.Error("a key is told")
		}
	}
}
