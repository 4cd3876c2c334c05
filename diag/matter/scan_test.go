package matter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/im"
	"threadmap/discovery"
)

// bubble runs f with a home in virtual time.
func bubble(t *testing.T, f func(t *testing.T, h *home)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t)
		defer h.close()
		f(t, h)
	})
}

// mesh announces the network that the nodes are in.
var mesh = borderRouter(0xaa, "fd01::/64")

func TestOneNode(t *testing.T) {
	for chunking := range im.Chunking(2) {
		for number, rows := range map[string][2]int{"1": {8, 0}, "2": {60, 63}} {
			t.Run(fmt.Sprintf("node %s, chunking %d", number, chunking), func(t *testing.T) {
				bubble(t, func(t *testing.T, h *home) {
					d := h.add(7, "fd01::7", threadNode(t, captured(t, number), 0x0a1b2c3d4e5f6071))
					d.chunking = chunking
					reports, problems, _ := h.scan(t.Context(), mesh, d.service())
					if len(problems) != 0 || len(reports) != 1 {
						t.Fatalf("%+v, %v", reports, problems)
					}
					r := reports[7]
					if len(r.Neighbors)+len(r.Children) != rows[0] || rows[1] > 0 && len(r.Routes) != rows[1] {
						t.Errorf("%d neighbors, %d children, %d routes", len(r.Neighbors), len(r.Children), len(r.Routes))
					}
					own := []diag.AddrClaim{{ExtAddr: 0x0a1b2c3d4e5f6071, Witness: diag.WitnessInterface}, {ExtAddr: 0x0a1b2c3d4e5f6071, Witness: diag.WitnessAttribute}}
					if !slices.Equal(r.Own, own) || len(r.Addresses) != 1 || r.Role == "" || r.Network.ExtPANID == 0 || r.Transport != diag.TransportThread {
						t.Errorf("%+v", r)
					}
					if r.RebootCount != diag.Some(uint16(3)) || r.UpTime != diag.Some(4711*time.Second) || r.BootReason != diag.Some(uint8(1)) || r.BatteryPercent != diag.Some(uint8(75)) ||
						r.Vendor != "Acme" || r.Product != "Plug" || r.Firmware != "1.2.3" || r.Names[0] != (diag.Name{Value: "Desk plug", Kind: diag.NameLabel}) || len(r.Counters) == 0 {
						t.Errorf("%+v", r)
					}
					if len(r.Matter) != 1 || r.ICD.Known() {
						t.Errorf("%+v, %+v", r.Matter, r.ICD)
					}
					if len(d.requests) != 1 || d.begun != 1 {
						t.Errorf("%d handshakes, %+v", d.begun, d.requests)
					}
					o := h.outcome[7]
					if o.Err != nil || o.Stage != diag.StageAsk || o.Tries != 1 || o.Reads != 1 || o.Resumed {
						t.Errorf("%+v", o)
					}
				})
			})
		}
	}
}

// A scan asks each node once; the next one resumes the sessions.
func TestMessages(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		d := h.add(7, "fd01::7", threadNode(t, captured(t, "1"), 7))
		chunks := 0
		for i, most := range []int{0, 0} {
			before := h.net.Stats().Sent
			reports, problems, took := h.scan(t.Context(), mesh, d.service())
			if len(reports) != 1 || len(problems) != 0 {
				t.Fatal(problems)
			}
			sent := h.net.Stats().Sent - before
			o := h.outcome[7]
			if o.Resumed != (i == 1) || took > time.Second {
				t.Errorf("%+v in %v", o, took)
			}
			messages, err := im.EncodeReports(im.ReportOptions{}, d.reports(request(what)), nil)
			if err != nil {
				t.Fatal(err)
			}
			chunks = len(messages)
			// Sigma1, Sigma2, Sigma3, StatusReport and an acknowledgement, or one
			// message less when resumed. Then ReadRequest, chunks with a
			// StatusResponse between each two, an acknowledgement of the last, and
			// CloseSession.
			most = 5 - i + 1 + chunks + chunks - 1 + 1 + 1
			if sent > most {
				t.Errorf("scan %d: %d datagrams, want at most %d", i, sent, most)
			}
			t.Logf("scan %d: %d datagrams for %d chunks", i, sent, chunks)
			synctest.Wait()
			select {
			case <-d.sessions[i].Session.Closed(): // or it takes the place of somebody else's
			default:
				t.Error("the session was left open")
			}
			if read := o.Sent + o.Received; read < uint64(2*chunks) || int(read) > sent {
				t.Errorf("%d datagrams of the session", read)
			}
		}
	})
}

// 50 nodes of a mesh, politely.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		resumed bool
		delay   time.Duration // of each datagram
	}{{false, 20 * time.Millisecond}, {true, 20 * time.Millisecond}, {false, 70 * time.Millisecond}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			bubble(t, func(t *testing.T, h *home) {
				h.delayed(c.delay)
				resumed := c.resumed
				services := []discovery.Service{mesh}
				values := captured(t, "1")
				for n := range uint64(50) {
					services = append(services, h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n)).service())
				}
				if resumed {
					h.scan(t.Context(), services...)
					h.readsBegan, h.mostHandshakes, h.mostReads = nil, 0, 0
				}
				reports, problems, took := h.scan(t.Context(), services...)
				if len(reports) != 50 || len(problems) != 0 {
					t.Errorf("%d reports, %v", len(reports), problems)
				}
				if took > 5500*time.Millisecond || took < 4900*time.Millisecond {
					t.Errorf("took %v", took)
				}
				t.Logf("%v, %d handshakes and %d reads at once", took, h.mostHandshakes, h.mostReads)
				h.polite()
				for n, o := range h.outcome {
					if o.Resumed != resumed || o.Tries != 1 {
						t.Errorf("node %d: %+v", n, o)
					}
				}
			})
		})
	}
}

// Slow reads overlap, four at a time.
func TestSlowReads(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.delayed(50 * time.Millisecond)
		services := []discovery.Service{mesh}
		values := captured(t, "2") // nine messages
		for n := range uint64(16) {
			services = append(services, h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n)).service())
		}
		if reports, problems, _ := h.scan(t.Context(), services...); len(reports) != 16 || len(problems) != 0 {
			t.Errorf("%d reports, %v", len(reports), problems)
		}
		if h.polite(); h.mostReads != 4 {
			t.Errorf("%d reads at once", h.mostReads)
		}
	})
}

// polite checks the manners of a scan of one Thread network.
func (h *home) polite() {
	h.t.Helper()
	if h.mostHandshakes > 4 || h.mostReads > 4 || h.mostHandshakes == 0 {
		h.t.Errorf("%d handshakes and %d reads at once", h.mostHandshakes, h.mostReads)
	}
	for i, at := range h.readsBegan {
		if i > 0 && at.Sub(h.readsBegan[i-1]) < 100*time.Millisecond {
			h.t.Errorf("read %d begins %v after the one before", i, at.Sub(h.readsBegan[i-1]))
		}
	}
}

// Each network has a pace of its own, and Wi-Fi has none.
func TestNetworksDoNotWaitForEachOther(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.delayed(5 * time.Millisecond)
		services := []discovery.Service{mesh, borderRouter(0xbb, "fd02::/64")}
		values := captured(t, "1")
		for n := range uint64(60) {
			d := h.add(n+1, fmt.Sprintf("fd0%x::%x", 1+n%3, n+1), threadNode(t, values, 0xaabb000000000001+n))
			s := d.service()
			if n%3 == 2 {
				s.Host = hostName(t, "0A1B2C3D4E5F")
			}
			services = append(services, s)
		}
		reports, problems, took := h.scan(t.Context(), services...)
		if len(reports) != 60 || len(problems) != 0 || took > 2500*time.Millisecond {
			t.Errorf("%d reports in %v, %v", len(reports), took, problems)
		}
	})
}

func TestSleepyNodesComeLast(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.delayed(5 * time.Millisecond)
		h.source.AskSleepy = true
		services := []discovery.Service{mesh}
		values := captured(t, "1")
		var order []uint64
		h.source.Done = func(r Record) { order = append(order, r.Node) }
		for n := range uint64(30) {
			d := h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n))
			key := ""
			switch {
			case n < 8:
				key = "SII=5500"
			case n < 10:
				key = "ICD=1"
			}
			services = append(services, d.service(key))
		}
		reports, problems, took := h.scan(t.Context(), services...)
		if len(reports) != 30 || len(problems) != 0 || took > 5*time.Second {
			t.Errorf("%d reports in %v, %v", len(reports), took, problems)
		}
		for i, n := range order {
			if (n <= 10) != (i >= 20) {
				t.Errorf("the order was %v", order)
				break
			}
		}
		h.polite()
	})
}

func TestNoSocket(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.source.ListenPacket = func(context.Context) (net.PacketConn, error) {
			return nil, &net.OpError{Op: "listen", Err: errors.New("too many open files")}
		}
		_, problems, _ := h.scan(t.Context(), announced(t, 6, "0A1B2C3D4E5F6071", nil, "fd01::6"))
		if len(problems) != 1 || problems[0].Text != "can't open a UDP socket: too many open files" {
			t.Errorf("%+v", problems)
		}
	})
}

// A crowd of nodes that nobody knows does not keep the known ones waiting.
func TestStrangersComeLast(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		services := []discovery.Service{mesh}
		for n := range uint64(30) {
			services = append(services, announced(t, n+1, "0A1B2C3D4E5F6071", nil, fmt.Sprintf("fd01::%x", n+1)))
		}
		d := h.add(100, "fd01::100", threadNode(t, captured(t, "1"), 1))
		h.source.Nodes = []uint64{100}
		var took time.Duration
		begun := time.Now()
		h.source.Done = func(r Record) {
			if r.Node == 100 {
				took = time.Since(begun)
			}
		}
		reports, problems, _ := h.scan(t.Context(), append(services, d.service())...)
		if len(reports) != 1 || len(problems) != 30 || took > time.Second {
			t.Errorf("%d reports, %d problems, took %v", len(reports), len(problems), took)
		}
		for _, p := range problems {
			if p.Partial {
				t.Errorf("%+v", p)
			}
		}
	})
}

// A scan that is stopped ends at once and keeps what it has.
func TestStop(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.delayed(20 * time.Millisecond)
		services := []discovery.Service{mesh}
		values := captured(t, "1")
		for n := range uint64(50) {
			services = append(services, h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n)).service())
		}
		services = append(services, announced(t, 60, "0A1B2C3D4E5F6071", txt("SII=5000"), "fd01::60"))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		reports, problems, took := h.scan(ctx, services...)
		if took > 2100*time.Millisecond || len(reports) < 15 || len(reports)+len(problems) < 50 {
			t.Errorf("%d reports, %d problems in %v", len(reports), len(problems), took)
		}
		for _, p := range problems {
			if !strings.Contains(p.Text, "time was over") {
				t.Errorf("%+v", p)
			}
		}
	})
}

// The socket of a real scan reaches nodes over IPv6 and over IPv4.
func TestRealSocket(t *testing.T) {
	h := newHome(t)
	defer h.close()
	h.source.ListenPacket = nil
	var services []discovery.Service
	for n, at := range []string{"127.0.0.1", "::1"} {
		pc, err := net.ListenPacket("udp", net.JoinHostPort(at, "0"))
		if err != nil {
			t.Logf("no node at %s: %v", at, err)
			continue
		}
		d := h.addOn(uint64(n+1), pc, threadNode(t, captured(t, "2"), 1))
		s := d.service()
		s.Port = d.at.Port()
		services = append(services, s)
	}
	reports, problems, _ := h.scan(t.Context(), services...)
	if len(services) == 0 || len(reports) != len(services) || len(problems) != 0 {
		t.Errorf("%d reports of %d nodes, %+v", len(reports), len(services), problems)
	}
}

// Nobody at all is throttled for a measurement.
func TestUnthrottled(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.delayed(5 * time.Millisecond)
		h.source.Unthrottled = true
		services := []discovery.Service{mesh}
		values := captured(t, "1")
		for n := range uint64(50) {
			services = append(services, h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n)).service())
		}
		if reports, problems, took := h.scan(t.Context(), services...); len(reports) != 50 || len(problems) != 0 || took > 500*time.Millisecond {
			t.Errorf("%d reports in %v, %v", len(reports), took, problems)
		}
	})
}
