package borderagent

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/tmf/dtls"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
)

const code = "475689122"

// served starts an agent with a one-time code whose end can be waited for.
func served(t *testing.T, o Options) (*simnet.Net, chan error) {
	t.Helper()
	a, err := New(mesh.Lab(0).View(), labBorder, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	n := &simnet.Net{}
	pc, err := n.ListenPacket(agentAddr)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- a.Serve(pc) }()
	return n, over
}

func ends(t *testing.T, over chan error, within time.Duration) {
	t.Helper()
	select {
	case err := <-over:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(within):
		t.Errorf("serves still after %v", within)
	}
}

// A code is for one session, which has it alone, and for no other after.
func TestCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, over := served(t, Options{EphemeralCode: code})
		c, err := dial(t, n, agentAddr, []byte(code))
		if err != nil {
			t.Fatal(err)
		}
		c.commission()
		if _, err := dial(t, n, agentAddr, []byte(code)); !errors.Is(err, dtls.ErrTimeout) {
			t.Errorf("a second client: %v", err)
		}
		if p, ok := c.ask("c/ag", nil); !ok || len(p.payload) == 0 {
			t.Error("the first one was disturbed")
		}
		c.conn.Close()
		ends(t, over, 2*codeLinger)
	})
}

func TestCodeGrowsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, over := served(t, Options{EphemeralCode: code})
		ends(t, over, time.Hour)
		if d := time.Since(begin); d != defaultLife {
			t.Errorf("after %v", d)
		}
	})
}

// Whatever comes from the eleventh client ends the code: don't probe.
func TestCodeClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, over := served(t, Options{EphemeralCode: code})
		for k := range codeClients + 1 {
			synctest.Wait()
			select {
			case <-over:
				t.Fatalf("over after %d clients", k)
			default:
			}
			pc, err := n.ListenPacket(netip.AddrPortFrom(here.Addr(), 0))
			if err != nil {
				t.Fatal(err)
			}
			defer pc.Close()
			for range 2 {
				pc.WriteTo([]byte("?"), net.UDPAddrFromAddrPort(agentAddr))
			}
		}
		ends(t, over, time.Second)
	})
}
