package capture_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"threadmap/diag/icd"
	"threadmap/diag/icd/capture"
	"threadmap/diag/matter/message"
)

const (
	ext       = "1a2b3c4d5e6f7081"
	hubFabric = "25D7D127A7F150CB"
	other     = "00112233445566FF"
	nodeID    = "1122334455667788"
	hubID     = "000000000001B669"
)

var (
	deviceAt = netip.MustParseAddrPort("[fd11:2233:4455:1:99aa:bbcc:ddee:ff01]:5540")
	hubAt    = netip.MustParseAddrPort("[fd00:1234::77]:5541")
	strayAt  = netip.MustParseAddrPort("[fd00:1234::88]:40001")
	hubLocal = netip.MustParseAddr("fe80::77")
	router   = netip.MustParseAddr("fe80::aa")
	router4  = netip.MustParseAddr("192.168.1.170")
)

// captured are real messages; see the file.
type captured struct {
	Resume []struct {
		FromDevice bool   `json:"from_device"`
		Session    uint16 `json:"session"`
		Counter    uint32 `json:"counter"`
		Exchange   uint16 `json:"exchange"`
		Initiator  *bool  `json:"initiator"`
		Source     string `json:"source"`
		Name       string `json:"name"`
		Payload    string `json:"payload"`
		T          float64
	} `json:"resume"`
	CheckIn []string          `json:"checkin"`
	Case    map[string]string `json:"case"`
}

func messages(t testing.TB) (c captured) {
	t.Helper()
	readJSON(t, &c)
	return c
}

func readJSON(t testing.TB, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/messages.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func at5353(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 5353) }

var opcodes = map[string]byte{"Sigma1": message.Sigma1, "Sigma2Resume": message.Sigma2Resume, "StatusReport": message.Status, "StandaloneAck": message.StandaloneAck}

// A home is a LAN with a device, a border router and a hub.
type home struct {
	*lan
	counter uint32
}

func newHome(t testing.TB) *home {
	h := &home{lan: newLAN(t), counter: 1000}
	h.routers(0.5)
	h.advert(0.7, 1800)
	h.mdns(1, hubLocal, records(t,
		"_matter._tcp.local. 4500 IN PTR "+hubFabric+"-"+hubID+"._matter._tcp.local.",
		hubFabric+"-"+hubID+"._matter._tcp.local. 120 IN SRV 0 0 5541 livingroom.local.",
		"livingroom.local. 120 IN AAAA fe80::77", "livingroom.local. 120 IN AAAA fd00:1234::77"))
	h.announce(2)
	// Reports of a subscription, every two minutes.
	for s := 100.0; s < 600; s += 120 {
		h.report(s)
	}
	return h
}

func (h *home) routers(s float64) {
	m := records(h.t, "_meshcop._udp.local. 4500 IN PTR Kitchen._meshcop._udp.local.",
		"Kitchen._meshcop._udp.local. 120 IN SRV 0 0 49191 kitchen.local.",
		`Kitchen._meshcop._udp.local. 4500 IN TXT "rv=1" "nn=MyHome"`,
		"kitchen.local. 120 IN AAAA fe80::aa", "kitchen.local. 120 IN A 192.168.1.170")
	h.mdns(s, router, m)
	h.mdns(s+0.01, router4, m)
}

// announce is what the border router says of the device, over both families.
func (h *home) announce(s float64) {
	for _, f := range []string{hubFabric, other} {
		m := records(h.t, "_matter._tcp.local. 4500 IN PTR "+f+"-"+nodeID+"._matter._tcp.local.",
			f+"-"+nodeID+"._matter._tcp.local. 120 IN SRV 0 0 5540 "+strings.ToUpper(ext)+".local.",
			f+"-"+nodeID+`._matter._tcp.local. 4500 IN TXT "SII=5000" "SAI=300"`,
			ext+".local. 120 IN AAAA "+deviceAt.Addr().String())
		h.mdns(s, router, m)
		h.mdns(s+0.02, router4, m)
	}
}

func (h *home) goodbye(s float64) {
	for _, f := range []string{hubFabric, other} {
		m := records(h.t, "_matter._tcp.local. 0 IN PTR "+f+"-"+nodeID+"._matter._tcp.local.",
			f+"-"+nodeID+"._matter._tcp.local. 0 IN SRV 0 0 5540 "+ext+".local.")
		h.mdns(s, router, m)
	}
}

func (h *home) restart(s float64) { h.goodbye(s); h.announce(s + 0.9) }

func (h *home) advert(s float64, lifetime uint32) {
	ra := make([]byte, 16)
	ra[0] = 134
	o := []byte{24, 2, 64, 0}
	o = binary.BigEndian.AppendUint32(o, lifetime)
	o = append(o, 0xfd, 0x11, 0x22, 0x33, 0x44, 0x55, 0, 1)
	h.icmp(s, router, netip.MustParseAddr("ff02::1"), 255, append(ra, o...))
}

func (h *home) report(s float64) {
	h.counter++
	h.udp(s, deviceAt, hubAt, sealed(30986, h.counter, 60))
	h.udp(s+0.3, hubAt, deviceAt, sealed(52364, h.counter+5000, 20))
	h.udp(s+0.5, deviceAt, hubAt, sealed(30986, h.counter+0x100000, 10))
}

// look asks for the hub, which answers.
func (h *home) look(s float64) {
	name := hubFabric + "-" + hubID + "._matter._tcp.local."
	h.mdns(s, router, question(name))
	h.mdns(s+0.1, hubLocal, records(h.t, name+" 120 IN SRV 0 0 5541 livingroom.local.", name+` 4500 IN TXT "SII=500"`, "livingroom.local. 120 IN AAAA fd00:1234::77"))
}

// resume is the captured resumption from s on.
func (h *home) resume(s float64) {
	all := messages(h.t).Resume
	for _, m := range all {
		src, dst := deviceAt, hubAt
		if !m.FromDevice {
			src, dst = dst, src
		}
		at := s + (m.T-all[0].T)/1000
		if m.Session != 0 {
			h.udp(at, src, dst, sealed(m.Session, m.Counter, len(m.Payload)/2))
			continue
		}
		var id uint64
		fmt.Sscanf(m.Source, "%x", &id)
		h.udp(at, src, dst, plain(*m.Initiator, id, m.Counter, m.Exchange, opcodes[m.Name], unhex(h.t, m.Payload)))
	}
}

// sigma1 is sent n times, as MRP does.
func (h *home) sigma1(s float64, n int) {
	b := plain(true, 0x42, 77, 9, message.Sigma1, unhex(h.t, messages(h.t).Case["Sigma1"]))
	for i := range n {
		h.udp(s+float64(3*i), deviceAt, hubAt, b)
	}
}

func (h *home) read(o capture.Options) *capture.Result {
	h.t.Helper()
	r, err := capture.Read(bytes.NewReader(h.buf.Bytes()), o)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// end lets the capture go on: somebody else's packet.
func (h *home) end(s float64) *home {
	h.udp(s, hubAt, strayAt, []byte("something else"))
	return h
}

func evaluate(t testing.TB, r *capture.Result, complaint bool) (*icd.Verdict, *icd.Timeline) {
	t.Helper()
	tl := r.Timeline()
	if tl == nil {
		t.Fatalf("no device was chosen among %v", r.Devices)
	}
	end := icd.Seconds(r.End.Sub(r.Start))
	if complaint {
		tl.Add(icd.Observation{At: end - icd.Sec(1), By: icd.ByUser, Event: "complaint", What: &icd.Complaint{Text: "the button does nothing", Controller: hubFabric}})
	}
	v, err := icd.Evaluate(tl, end, hubFabric)
	if err != nil {
		t.Fatal(err)
	}
	return v, tl
}

func lines(t testing.TB, tl *icd.Timeline) string {
	t.Helper()
	var b bytes.Buffer
	if err := icd.WriteTimeline(&b, tl); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStories(t *testing.T) {
	c := messages(t).Case
	sigma2 := func(h *home, s float64, n int) {
		for i := range n {
			h.udp(s+float64(3*i), hubAt, deviceAt, plain(false, 0x42, 500, 9, message.Sigma2, unhex(t, c["Sigma2"])))
		}
	}
	status := func(initiator bool, text string) []byte {
		return plain(initiator, 0x42, 501, 9, message.Status, unhex(t, text))
	}
	for _, s := range []struct {
		name      string
		tell      func(h *home)
		complaint bool
		end       float64
		states    map[icd.Link]icd.State
		link      icd.Link
		party     icd.Party
		first     string // cause
		says      string // somewhere in the lines
		not       []string
	}{
		{name: "goes on with its subscription", end: 900, party: icd.UnknownParty,
			tell: func(h *home) {
				h.restart(600)
				h.look(603)
				h.resume(604)
				h.report(720)
				h.report(840)
			},
			states: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L3: icd.Seen, icd.L6: icd.Seen, icd.L7: icd.Seen, icd.L8: icd.Seen, icd.L9: icd.Seen},
			says:   `"opened_by":"device","result":"resumed"`},
		{name: "resumed, not yet reported", end: 620, party: icd.UnknownParty,
			tell:   func(h *home) { h.restart(600); h.look(603); h.resume(604) },
			states: map[icd.Link]icd.State{icd.L6: icd.Seen, icd.L7: icd.Seen, icd.L8: icd.Unknown},
			says:   `"resumption":true`},
		{name: "full handshake", end: 900, party: icd.UnknownParty,
			tell: func(h *home) {
				h.restart(600)
				h.sigma1(603, 1)
				sigma2(h, 604, 1)
				h.udp(606, deviceAt, hubAt, plain(true, 0x42, 78, 9, message.Sigma3, unhex(t, c["Sigma3"])))
				h.udp(607, hubAt, deviceAt, status(false, "0000000000000000"))
			},
			states: map[icd.Link]icd.State{icd.L6: icd.Seen, icd.L7: icd.Seen, icd.L8: icd.Unknown},
			says:   `"result":"full"`},
		{name: "no way back", end: 900, complaint: true, link: icd.L7, party: icd.BorderRouter, first: "R11",
			tell: func(h *home) {
				h.restart(600)
				h.look(603)
				h.sigma1(604, 5)
				sigma2(h, 605, 5)
			},
			says: "no answer to Sigma2, sent 5 times", not: []string{"R1"}},
		{name: "the controller refuses it", end: 900, complaint: true, link: icd.L7, party: icd.Controller, first: "R12",
			tell: func(h *home) {
				h.restart(600)
				h.look(603)
				h.sigma1(604, 1)
				h.udp(604.5, hubAt, deviceAt, status(false, "0100000000000100"))
			},
			says: "refused: no shared trust roots", not: []string{"R1", "R11"}},
		{name: "busy", end: 900, complaint: true, link: icd.L7,
			tell: func(h *home) {
				h.restart(600)
				h.look(603)
				h.sigma1(604, 1)
				h.udp(604.5, hubAt, deviceAt, status(false, "0800000000000400f401"))
			},
			says: "busy: try again in 500ms", not: []string{"R1", "R12"}},
		{name: "nobody answers", end: 900, complaint: true, link: icd.L7,
			tell: func(h *home) { h.restart(600); h.look(603); h.sigma1(604, 5) },
			says: "no answer to Sigma1, sent 5 times", not: []string{"R1"}},
		{name: "the port is closed", end: 900, complaint: true, link: icd.L7,
			tell: func(h *home) {
				h.restart(600)
				h.look(603)
				h.sigma1(604, 2)
				inner := packetOf(deviceAt, hubAt, []byte("sigma1"))
				h.icmp(604.1, hubAt.Addr(), deviceAt.Addr(), 64, append([]byte{1, 4, 0, 0, 0, 0, 0, 0}, inner...))
			},
			says: "port unreachable", not: []string{"R1"}},
		{name: "never tries", end: 900, complaint: true, link: icd.L7, party: icd.DeviceFirmware, first: "R1",
			tell: func(h *home) { h.restart(600) },
			says: `"event":"watched"`},
		{name: "the controller comes", end: 1200, party: icd.UnknownParty,
			tell: func(h *home) {
				h.restart(600)
				h.udp(700, hubAt, deviceAt, plain(true, 0x43, 90, 10, message.Sigma1, unhex(t, c["Sigma1"])))
				h.udp(701, deviceAt, hubAt, plain(false, 0x43, 91, 10, message.Sigma2, unhex(t, c["Sigma2"])))
				h.udp(702, hubAt, deviceAt, plain(true, 0x43, 92, 10, message.Sigma3, unhex(t, c["Sigma3"])))
				h.udp(703, deviceAt, hubAt, plain(false, 0x43, 93, 10, message.Status, unhex(t, "0000000000000000")))
				h.report(820)
			},
			states: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L9: icd.Seen},
			says:   `"opened_by":"controller","result":"full"`},
	} {
		t.Run(s.name, func(t *testing.T) {
			h := newHome(t)
			s.tell(h)
			h.end(s.end)
			r := h.read(capture.Options{})
			if r.Node != ext || len(r.Devices) != 1 || len(r.Devices[0].Restarts) != 1 {
				t.Fatalf("%q %+v", r.Node, r.Devices)
			}
			v, tl := evaluate(t, r, s.complaint)
			all := lines(t, tl)
			report := func() string {
				out := all
				for _, l := range v.Chain {
					out += fmt.Sprintf("%s %s %q\n", l.Link, l.State, l.Because)
				}
				return out + fmt.Sprintf("%+v", v.Causes)
			}
			for l, want := range s.states {
				if got := v.State(l); got != want {
					t.Errorf("%s is %s, want %s\n%s", l, got, want, report())
				}
			}
			if v.Link != s.link || s.party != "" && v.Party != s.party || v.Rung != 4 {
				t.Errorf("link %q party %s rung %d\n%s", v.Link, v.Party, v.Rung, report())
			}
			if top := v.TopCauses(); s.first != "" && (len(top) == 0 || top[0] != s.first) {
				t.Errorf("first %v, want %s\n%s", top, s.first, report())
			}
			if !strings.Contains(all, s.says) {
				t.Errorf("nowhere %s:\n%s", s.says, all)
			}
			for _, c := range v.Causes {
				for _, not := range s.not {
					if c.ID == not && c.Confidence > icd.Low {
						t.Errorf("%s: %q", not, c.For)
					}
				}
			}
			if strings.Contains(all, other) && strings.Contains(all, `"fabric":"`+other) {
				t.Errorf("the wrong fabric:\n%s", all)
			}
		})
	}
}

func TestCheckIn(t *testing.T) {
	h := newHome(t)
	for i, p := range messages(t).CheckIn {
		h.udp(700+float64(5*i), deviceAt, hubAt, unhex(t, p))
	}
	_, tl := evaluate(t, h.end(900).read(capture.Options{Node: deviceAt.Addr().String()}), false)
	if all := lines(t, tl); strings.Count(all, `"event":"checkin"`) != 2 || !strings.Contains(all, hubFabric+`"}`) {
		t.Error(all)
	}
}

// TestOneSender: one border router that speaks over both families announces the
// device once.
func TestOneSender(t *testing.T) {
	h := newHome(t)
	h.restart(600)
	_, tl := evaluate(t, h.end(900).read(capture.Options{}), false)
	all := lines(t, tl)
	if n := strings.Count(all, `"event":"announce","instance":"`+hubFabric+"-"+nodeID); n != 2 {
		t.Errorf("%d announcements, want 2 (before and after):\n%s", n, all)
	}
	if strings.Contains(all, `"from":"192.168`) {
		t.Errorf("a sender by its other address:\n%s", all)
	}
}
