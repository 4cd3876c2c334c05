package discovery

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestQuestionsOfOthers(t *testing.T) {
	l := newLAN(t, Options{})
	n, _ := KindMatter.InstanceName("87e1b004e235a130-000000000001B669")
	ask := func(from string, known int, qs ...Question) {
		m := &Message{Questions: qs, Records: make([]Record, known)}
		l.b.Take(m, Origin{Interface: "eth0", From: netip.MustParseAddrPort(from), At: l.now})
		l.events, _ = l.b.Step(l.now)
	}
	ask("[fe80::b1]:5353", 0, Question{Name: n, Type: TypeSRV, Unicast: true}, Question{Name: n, Type: TypeAAAA})
	l.want("0s asking 87e1b004e235a130-000000000001B669._matter._tcp.local SRV by [fe80::b1%eth0]:5353\n" +
		"0s asking 87e1b004e235a130-000000000001B669._matter._tcp.local AAAA by [fe80::b1%eth0]:5353")
	l.until(3 * time.Second)
	ask("[fe80::b1]:5353", 0, Question{Name: n, Type: TypeSRV})
	ask("192.0.2.9:40000", 2, Question{Name: mustName("_ipp", "_tcp", "local"), Type: TypePTR}, Question{Name: KindMeshCoP.Name(), Type: TypePTR})
	got := l.b.Asked()
	if len(got) != 2 || got[1].Kind != KindMeshCoP || got[1].Askers[0].Addr.String() != "192.0.2.9" {
		t.Fatalf("%+v", got)
	}
	a := got[0]
	if a.Fabric != 0x87e1b004e235a130 || a.Node != 0x1b669 || a.Count != 3 || len(a.Types) != 2 || len(a.Askers) != 1 || a.Askers[0].Count != 3 ||
		a.Last.Sub(a.First) != 3*time.Second || !a.Answered.IsZero() || a.There {
		t.Errorf("%+v", a)
	}
	l.until(5 * time.Second)
	l.hear("fe80::c", "eth0", Record{Name: mustName("87E1B004E235A130-000000000001B669", "_matter", "_tcp", "local"), Type: TypeSRV, TTL: time.Minute, Target: mustName("h", "local")})
	if a := l.b.Asked()[0]; a.Answered.Sub(epoch) != 5*time.Second {
		t.Errorf("%+v", a)
	}
	if asks := l.b.Asks(); len(asks) != 4 || !asks[0].Unicast || asks[3].Known != 2 {
		t.Errorf("%+v", asks)
	}
	// The log is bounded, and so are the names.
	for i := range 10_000 {
		n, _ := KindMatter.InstanceName(fmt.Sprintf("%016X-%016X", i, i))
		ask("[fe80::b1]:5353", 0, Question{Name: n, Type: TypeSRV})
	}
	if n, m := len(l.b.Asked()), len(l.b.Asks()); n > maxAsked || m > maxAsks {
		t.Errorf("%d names, %d questions", n, m)
	}
}
