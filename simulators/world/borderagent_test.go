package world

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"threadmap/diag/tmf/dtls"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// Over real sockets: each border agent of the home lets in who has the key of
// its network, and says which network it is.
func TestBorderAgents(t *testing.T) {
	home := mesh.HomeOf50(1)
	w, err := Start(home, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	routers := 0
	for _, m := range home.Networks {
		for i := range m.Nodes {
			if m.Nodes[i].BorderRouter {
				routers++
			}
		}
	}
	agents := w.BorderAgents()
	if len(agents) != routers || routers == 0 {
		t.Fatalf("%d agents of %d border routers", len(agents), routers)
	}
	for _, a := range agents {
		raw, err := net.Dial("udp", a.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c, err := dtls.Client(ctx, raw, a.PSKc, dtls.Config{})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		// c/ag for the network name, as captured but for the type.
		c.Write([]byte("\x44\x02\x10\x01\x7a\x3e\x00\x01\xb1\x63\x02\x61\x67\xff\x0d\x01\x03"))
		c.SetReadDeadline(time.Now().Add(time.Minute))
		b := make([]byte, 1000)
		n, err := c.Read(b)
		if err != nil || !bytes.HasSuffix(b[:n], []byte(a.Network)) {
			t.Errorf("%s: %x, %v", a.Name, b[:n], err)
		}
		c.Close()
		if s := a.Server.Stats(); s.Sessions != 1 || s.Requests["c/ag"] != 1 {
			t.Errorf("%s: %+v", a.Name, s)
		}
		if s := a.PSKc.String(); strings.Contains(s, "canary") {
			t.Errorf("the key shows: %s", s)
		}
	}
	if err := w.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestBorderAgentKnobs(t *testing.T) {
	_, err := Start(mesh.HomeOf50(1), Options{BorderAgent: func(*mesh.Mesh, *mesh.Node) borderagent.Options {
		return borderagent.Options{EphemeralCode: strings.Repeat("1", 33)}
	}})
	if err == nil || !strings.Contains(err.Error(), "border agent") {
		t.Errorf("%v", err)
	}
}
