package borderagent

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plgd-dev/go-coap/v3/message"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

// A line is one message of a captured conversation.
type line struct {
	at   time.Duration
	sent bool
	b    []byte
}

func conversation(t *testing.T, name string) (out []line) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w := strings.Fields(lines.Text())
		if w[0] == "#" {
			continue
		}
		s, err := strconv.ParseFloat(w[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		b, err := hex.DecodeString(w[2])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, line{time.Duration(s * float64(time.Second)), w[1] == "TX", b})
	}
	return out
}

// words says what a message is and what its TLVs say, one line each, without
// what a mesh says differently every time: ages, sequence numbers, versions,
// random ids.
func words(t *testing.T, h heard) (key, text string) {
	t.Helper()
	p, where := h.outer, "agent"
	if h.outer.path == "c/ur" {
		p, where = h.inner, h.from.String()
	}
	tlvs, err := netdiag.SplitTLVs(p.payload)
	if err != nil {
		t.Fatal(err)
	}
	key = fmt.Sprintf("%s %s %v %x", where, p.kind, p.code, p.token)
	if p.path == answerPath { // their tokens are the nodes'
		id, _ := netdiag.Find(tlvs, netdiag.TypeQueryID)
		place, _ := netdiag.Find(tlvs, netdiag.TypeAnswer)
		key = fmt.Sprintf("%s %s %v query %x answer %x", where, p.kind, p.code, id, place)
	}
	if where == "agent" {
		key += fmt.Sprintf(" %d octets", len(p.payload))
		for _, v := range tlvs {
			if v.Type == mcSessionID {
				clear(v.Value)
			}
		}
	}
	out := make([]string, 0, len(tlvs))
	for _, v := range tlvs {
		out = append(out, fmt.Sprintf("%d: %s\n", v.Type, said(t, where, v)))
	}
	// OpenThread lists router neighbors in the order in which their ids were
	// given out, which the model does not know.
	first := slices.IndexFunc(out, func(s string) bool { return strings.HasPrefix(s, "31: {") })
	if first >= 0 {
		last := first
		for last < len(out) && strings.HasPrefix(out[last], "31: {") {
			last++
		}
		slices.Sort(out[first:last])
	}
	return key, strings.Join(out, "")
}

func said(t *testing.T, where string, v netdiag.TLV) string {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatalf("TLV %d %x: %v", v.Type, v.Value, err)
		}
	}
	if where == "agent" || len(v.Value) == 0 {
		return hex.EncodeToString(v.Value)
	}
	switch v.Type {
	case netdiag.TypeConnectivity:
		c, err := netdiag.ParseConnectivity(v.Value)
		must(err)
		c.IDSequence = 0
		return fmt.Sprintf("%+v", c)
	case netdiag.TypeRoute64:
		r, err := netdiag.ParseRoute64(v.Value)
		must(err)
		return fmt.Sprintf("%+v", r.Rows)
	case netdiag.TypeLeaderData:
		l, err := netdiag.ParseLeaderData(v.Value)
		must(err)
		return fmt.Sprintf("partition %v, weighting %v, leader %v", l.PartitionID, l.Weighting, l.RouterID)
	case netdiag.TypeNetworkData:
		d, err := netdiag.ParseNetworkData(v.Value)
		must(err)
		d.Commissioning.SessionID = diag.Opt[uint16]{}
		return fmt.Sprintf("%+v", d)
	case netdiag.TypeChild:
		c, err := netdiag.ParseChild(v.Value)
		must(err)
		c.Age, c.ConnectedFor = 0, 0
		return fmt.Sprintf("%+v", c)
	case netdiag.TypeChildIPv6Addresses:
		c, err := netdiag.ParseChildAddresses(v.Value)
		must(err)
		var nets []netip.Prefix // interface ids are random
		for _, a := range c.Addresses {
			p, _ := a.Prefix(64)
			nets = append(nets, p)
		}
		return fmt.Sprint(c.RLOC16, nets)
	case netdiag.TypeRouterNeighbor:
		n, err := netdiag.ParseRouterNeighbor(v.Value)
		must(err)
		n.ConnectedFor = 0
		return fmt.Sprintf("%+v", n)
	}
	return hex.EncodeToString(v.Value)
}

// The captured conversations again, at their times, with the simulated agent:
// it says the same messages with the same TLVs in the same order.
func TestCapturedConversations(t *testing.T) {
	for _, c := range []struct {
		name   string
		extra  int
		settle time.Duration
		expect int // messages from the agent
	}{
		{"pskc-1", 0, -1, 6},
		// Although the petition was milliseconds ago, the capture's far nodes
		// knew the commissioner.
		{"queries", 0, -1, 11},
		{"mcast-ff03-2", 0, 0, 10},
		{"20children", 20, 0, 13},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := mesh.Lab(c.extra)
				m.NoServices, m.Partitions[0].CommissionerSession = true, 0x30c1 // that of an earlier one
				_, n := serve(t, m, Options{Settle: c.settle})
				want, got := replay(t, conversation(t, c.name), lab(t, n))
				if len(want) != c.expect {
					t.Errorf("%d messages in the capture, want %d", len(want), c.expect)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("captured (-), simulated (+):\n%s", d)
				}
			})
		})
	}
}

// replay says what the captured client said and compares what comes back. Its
// acknowledgements bear message ids of the captured nodes: c sends its own.
func replay(t *testing.T, lines []line, c *client) (want, got map[string]string) {
	want, got = map[string]string{}, map[string]string{}
	begin := time.Now().Add(-lines[0].at)
	note := func(to map[string]string, h heard) {
		key, text := words(t, h)
		if old, ok := to[key]; ok && old != text {
			t.Errorf("%s\nsaid two things: %s\n%s", key, old, text)
		}
		to[key] = text
	}
	hear := func(d time.Duration) {
		all, _ := c.listen(d)
		for _, h := range all {
			note(got, h)
		}
	}
	var sid []byte // what the simulated leader gave
	for _, l := range lines {
		if !l.sent {
			h := heard{}
			var err error
			if h.outer, err = parsePacket(bytes.Clone(l.b)); err != nil {
				t.Fatal(err)
			}
			if h.outer.path == "c/ur" {
				c.unwrap(&h)
			}
			note(want, h)
			continue
		}
		p, err := parsePacket(bytes.Clone(l.b))
		if err != nil {
			t.Fatal(err)
		}
		// The captured client waited for answers, which here come at other
		// times: petitions and keep-alives want the session.
		hear(max(time.Until(begin.Add(l.at)), 20*time.Millisecond))
		if p.path == "c/ut" && isAck(t, p) {
			continue
		}
		tlvs, err := netdiag.SplitTLVs(p.payload)
		if err != nil {
			t.Fatal(err)
		}
		if p.path == "c/ca" {
			sid = be16(c.session(t))
			for _, v := range tlvs {
				if v.Type == mcSessionID {
					copy(v.Value, sid)
				}
			}
		}
		c.send(p.bytes())
	}
	hear(10 * time.Second)
	return want, got
}

// session is the commissioner session that the agent's leader gave last.
func (c *client) session(t *testing.T) uint16 {
	t.Helper()
	for _, h := range slices.Backward(c.heard) {
		tlvs, _ := netdiag.SplitTLVs(h.outer.payload)
		if v, ok := netdiag.Find(tlvs, mcSessionID); ok && h.outer.kind == message.NonConfirmable && len(v) == 2 {
			return uint16(v[0])<<8 | uint16(v[1])
		}
	}
	t.Fatal("no session id came")
	return 0
}

func isAck(t *testing.T, p packet) bool {
	t.Helper()
	tlvs, err := netdiag.SplitTLVs(p.payload)
	if err != nil {
		t.Fatal(err)
	}
	udp, _ := netdiag.Find(tlvs, mcUDPEncapsulation)
	in, err := parsePacket(udp[4:])
	if err != nil {
		t.Fatal(err)
	}
	return in.kind == message.Acknowledgement
}
