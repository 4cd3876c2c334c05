package listen

import (
	"context"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

// browseFor is how long it is asked what is there, at the start. Questions are
// repeated after one and three seconds where something is missing.
const browseFor = 4 * time.Second

// MDNS reports what concerns the device in what is said by multicast DNS, as
// [heard.MDNS] describes it. It asks once, at the start, what is there, and
// then only listens.
func MDNS(ctx context.Context, c Config, observe icd.Observe) error {
	kinds := []discovery.Kind{discovery.KindMatter, discovery.KindMeshCoP}
	config := mdns.Config{
		Options: discovery.Options{Kinds: kinds}, Interfaces: c.Interfaces, Sockets: c.Sockets, AskFor: browseFor,
		Tap: func(m *discovery.Message, o discovery.Origin) {
			for _, seen := range heard.MDNS(m, o, c.Scope) {
				observe(o.At, seen)
			}
		},
		Asking: func(n discovery.Name, at time.Time) { c.Scope.Asked(n, at) },
		Trouble: func(p mdns.Problem) {
			if !p.Fatal && p.Reason != mdns.Silence {
				c.warn(p)
			}
		},
	}
	if c.Quiet {
		config.AskFor = -1
	}
	_, err := mdns.Browse(ctx, config, nil)
	return err
}
