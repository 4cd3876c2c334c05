package transport

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"threadmap/diag/matter/message"
	"threadmap/simulators/simnet"
)

// Rubbish from the network is counted and changes nothing.
func TestRubbish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &simnet.Net{Buffer: 1 << 24}
		c, s := two(t, n, echo)
		cs, _ := secure(t, c, s)
		attacker := listen(t, n, netip.MustParseAddrPort("[fe80::bad%eth0]:1"))
		defer attacker.Close()
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 3000 {
			b := make([]byte, r.IntN(1500))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			if len(b) > 4 && i%2 == 0 {
				b[0], b[1], b[2], b[3] = 0, byte(cs.LocalID()), byte(cs.LocalID()>>8), 0
			}
			attacker.WriteToAddrPort(b, client)
		}
		synctest.Wait()
		if err := ask(t.Context(), cs, 5); err != nil {
			t.Fatal(err)
		}
		st := c.Stats()
		if st.Received != 3000+5+1 || st.Dropped[message.Oversized] == 0 || st.Dropped[message.NotAuthentic] == 0 || st.Dropped[message.UnknownVersion] == 0 {
			t.Errorf("%+v", st)
		}
	})
}

// A stranger's flood gets a limited number of handlers, and peers still get in.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &simnet.Net{Buffer: 1 << 24}
		var mu sync.Mutex
		strangers := 0
		c, s := two(t, n, func(x *Exchange) {
			if x.Session().IsSecure() {
				echo(x)
				return
			}
			mu.Lock()
			strangers++
			mu.Unlock()
			x.Receive(t.Context())
			x.Receive(t.Context()) // which never comes
		})
		cs, _ := secure(t, c, s)
		attacker := listen(t, n, netip.MustParseAddrPort("[fe80::bad%eth0]:1"))
		defer attacker.Close()
		for i := range uint64(5000) {
			h := message.Header{Counter: 1, Source: i + 1, HasSource: true}
			attacker.WriteToAddrPort(message.AppendPlain(nil, h, message.Protocol{Initiator: true, Reliable: true, Opcode: message.Sigma1}, nil), server)
		}
		synctest.Wait()
		mu.Lock()
		if strangers == 0 || strangers > 100 {
			t.Errorf("%d handlers", strangers)
		}
		mu.Unlock()
		if err := ask(t.Context(), cs, 5); err != nil {
			t.Errorf("a peer was locked out: %v", err)
		}
	})
}
