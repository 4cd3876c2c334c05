package tmf

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/pskc"
)

// Name is the name of this source.
const Name = "thread"

// within is the deadline of one network. 32 routers with 250 children take some
// ten seconds; a role that is taken is waited for up to a minute, and routers
// that are listed but silent cost half a minute together.
const within = 150 * time.Second

// A Credential lets a commissioner into one network.
type Credential struct {
	Secret  pskc.Secret // the PSKc, or the digits of a one-time code
	OneTime bool        // Secret is a one-time code: good for one session
}

// A OneTime is a one-time code, and the border agent that waits for it: one that
// is announced, or the one at an address, HOST:PORT.
type OneTime struct {
	Code    pskc.Secret
	Agent   meshcop.Agent
	Address string // "": that of Agent
}

// A Source asks Thread networks through their border agents.
type Source struct {
	// OneTime, where set, is one more network to ask, in one session and no
	// second one. That network is asked in no other way.
	OneTime *OneTime
	// Credentials gives what lets a commissioner into the network with that
	// extended PAN id; 0 is asked where nobody said which network a border agent
	// has. Networks without a credential are not asked.
	Credentials func(network diag.PANID64) (Credential, bool)
	// AskSleepy asks the children that sleep, too: each takes until its next
	// poll, and costs it some battery.
	AskSleepy bool
	// Now is the clock that stamps reports; nil means time.Now.
	Now func() time.Time
	// Dial opens a UDP socket of its own for each session; nil means that of
	// package net.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Note, if set, is told in one line what is waited for.
	Note func(target, text string)
	// Done, if set, is told what became of each session.
	Done func(Record)

	rand *mathrand.Rand // of message ids; tests fix it
	few  []uint16       // the only routers to ask, see Routers; nil: the whole mesh
}

var _ diag.Source = Source{}

// Name is "thread".
func (s Source) Name() string { return Name }

// Probes makes one probe for each network, or for each partition of it that
// announces itself, that there is a credential for: of the border agents that
// are announced, and of those that the user named. The best border agent is
// asked, the others are there if it can't be reached.
func (s Source) Probes(k diag.Known) []diag.Probe {
	var out []diag.Probe
	named := map[diag.PANID64]bool{}
	if s.OneTime != nil {
		out = append(out, s.oneTime(named))
	}
	for _, e := range k.Endpoints {
		if e.Source != Name {
			continue
		}
		a, err := parseEndpoint(e.URL)
		if err != nil {
			out = append(out, complaint("unreadable URL", diag.StageResolve, err.Error(), "give it as thread://HOST:PORT"))
			continue
		}
		credential, ok := s.credential(a.Network)
		if !ok {
			out = append(out, complaint(a.target(), diag.StageHandshake, "no credential for its network", "threadmap login thread"))
			continue
		}
		if s.OneTime != nil && a.Network != 0 && a.Network == s.OneTime.Agent.Network {
			continue
		}
		credential.OneTime = credential.OneTime || a.OneTime
		named[a.Network] = true
		out = append(out, s.probe(append([]agent{a}, instead(k, a, credential)...), credential))
	}
	return append(out, s.announced(k, named)...)
}

// oneTime is the probe of the one-time code.
func (s Source) oneTime(named map[diag.PANID64]bool) diag.Probe {
	a := agent{Agent: s.OneTime.Agent}
	if s.OneTime.Address != "" {
		e, err := parseEndpoint("thread://" + s.OneTime.Address)
		if err != nil {
			return complaint("unreadable address", diag.StageResolve, err.Error(), "give it as HOST:PORT")
		}
		a.host, a.port = e.host, e.port
	}
	if len(a.addresses()) == 0 {
		return complaint(instance(a.Agent), diag.StageResolve, "no address of this border agent is known", "scan again, or name it as HOST:PORT")
	}
	a.OneTime = true
	if a.Network != 0 {
		named[a.Network] = true
	}
	return s.probe([]agent{a}, Credential{Secret: s.OneTime.Code, OneTime: true})
}

// instead are the announced agents of the network of a named one, for when that
// can't be reached: a border agent may have another port after each restart.
func instead(k diag.Known, named agent, credential Credential) (out []agent) {
	if credential.OneTime || named.Network == 0 {
		return nil
	}
	for _, a := range meshcop.Choose(k.Services) {
		if a.Network == named.Network && !a.OneTime && a.Closed == "" {
			out = append(out, agent{Agent: a})
		}
	}
	return out
}

func (s Source) credential(network diag.PANID64) (Credential, bool) {
	if s.Credentials == nil {
		return Credential{}, false
	}
	c, ok := s.Credentials(network)
	return c, ok && !c.Secret.IsZero()
}

// announced makes the probes of networks that the LAN announces, but for those
// of which the user named a border agent.
func (s Source) announced(k diag.Known, named map[diag.PANID64]bool) []diag.Probe {
	type mesh struct {
		network   diag.PANID64
		partition diag.Opt[uint32]
	}
	groups := map[mesh][]agent{}
	var order []mesh
	closed := map[diag.PANID64]string{} // networks of which all agents are shut
	open := map[diag.PANID64]bool{}
	for _, a := range meshcop.Choose(k.Services) {
		credential, ok := s.credential(a.Network)
		if !ok || a.Network == 0 || named[a.Network] || credential.OneTime != a.OneTime {
			continue
		}
		if a.Closed != "" {
			closed[a.Network] = cmp.Or(closed[a.Network], fmt.Sprintf("%s: %s", instance(a), a.Closed))
			continue
		}
		open[a.Network] = true
		m := mesh{a.Network, a.Partition}
		if groups[m] == nil {
			order = append(order, m)
		}
		groups[m] = append(groups[m], agent{Agent: a})
	}
	var out []diag.Probe
	for _, m := range order {
		if _, said := m.partition.Get(); !said && len(groups) > 1 && slices.ContainsFunc(order, func(o mesh) bool { return o.network == m.network && o.partition.Known() }) {
			continue // those that tell their partition will do
		}
		credential, _ := s.credential(m.network)
		out = append(out, s.probe(groups[m], credential))
	}
	for network, why := range closed {
		if !open[network] {
			out = append(out, complaint(network.String(), diag.StageConnect, why, "switch commissioning on at a border router of this network, or use a one-time code"))
		}
	}
	return out
}

func instance(a meshcop.Agent) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '?'
		}
		return r
	}, a.Instance[:min(len(a.Instance), 63)])
}

// probe asks one network. Probes of one network run one after the other: there
// is one commissioner at a time.
func (s Source) probe(agents []agent, credential Credential) diag.Probe {
	group := agents[0].target()
	if id := agents[0].Network; id != 0 {
		group = Name + " " + id.String()
	}
	return diag.Probe{Source: Name, Target: agents[0].target(), Within: within, Group: group, Run: func(ctx context.Context, to *diag.Sink) {
		p := &probe{source: s, agents: agents, credential: credential, to: to, target: agents[0].target(), now: s.Now, said: map[string]bool{},
			session: Name + "-" + strings.ToLower(rand.Text()[:16])}
		if p.now == nil {
			p.now = time.Now
		}
		p.run(ctx)
	}}
}

// complaint is a probe that only tells why there is none.
func complaint(target string, at diag.Stage, text, hint string) diag.Probe {
	return diag.Probe{Source: Name, Target: target, Within: time.Second, Run: func(_ context.Context, to *diag.Sink) {
		to.Problem(diag.Problem{Source: Name, Target: target, Stage: at, Text: text, Hint: hint, Partial: true})
	}}
}

// A Record is what became of one session: how far it got, what the border agent
// and its mesh can do, and what was put on the mesh. It holds no keys.
type Record struct {
	Target    string
	Agent     meshcop.Agent
	Stage     diag.Stage // the last one that was reached: connect, handshake, ask
	Petition  bool       // the commissioner's role was given
	Err       error      // why it ended before its time; nil: it did not
	Traffic   meshcop.Traffic
	Questions Questions
	Types     []uint8 // Network Diagnostic TLV types that came, sorted
	// Vanished is the length, in octets of CoAP, of the smallest answer that
	// the border agent seems to have dropped as too large; 0: none.
	Vanished int
}

// Questions counts what was asked, by how many nodes were meant.
type Questions struct {
	Multicast, Unicast int // queries and requests, without repetitions
	Again              int // of Unicast, questions that were asked a second time
	Silent             int // routers that never answered
}
