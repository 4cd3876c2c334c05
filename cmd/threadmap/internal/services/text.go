package services

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"threadmap/discovery"
)

// maxShownAddresses keeps one host from filling the screen; the document has
// all.
const maxShownAddresses = 4

// WriteText writes the sentence, then the networks, then all else.
func (h *Home) WriteText(w io.Writer) error {
	t := &textWriter{b: bufio.NewWriter(w)}
	t.line("%s", h.Sentence())
	for _, n := range h.Networks {
		t.network(n)
	}
	t.section("Border routers without a network", len(h.Outside))
	for _, b := range h.Outside {
		t.border(b)
	}
	for _, part := range []struct {
		title   string
		devices []*Device
	}{
		{"Thread devices whose network is not known", h.Strays},
		{"Waiting to be commissioned", h.Waiting},
		{"On Wi-Fi or Ethernet, or not known to be on Thread", h.Others},
	} {
		t.section(part.title, len(part.devices))
		for _, d := range part.devices {
			t.device(d, nil)
		}
	}
	t.rest(h)
	if c := h.Conflicts(); len(c) > 0 {
		t.section("Contradictions", len(c))
		for _, s := range c {
			t.conflict(s)
		}
	}
	for _, n := range h.Networks {
		if len(n.Names) > 1 {
			var names []string
			for _, s := range n.Names {
				names = append(names, short(s))
			}
			t.line("  ! the border routers of %s call it %s", n.ID(), list(names))
		}
	}
	return t.b.Flush()
}

type textWriter struct{ b *bufio.Writer }

// line writes a line; all that comes from strangers is clean when it gets here.
func (t *textWriter) line(format string, args ...any) {
	fmt.Fprintf(t.b, format, args...)
	t.b.WriteByte('\n')
}

func (t *textWriter) section(title string, n int) {
	if n > 0 {
		t.line("\n%s", title)
	}
}

func (t *textWriter) network(n *Network) {
	facts := []string{plural(len(n.Borders), "border router"), plural(n.devices(), "device")}
	if len(n.Partitions) > 1 {
		facts = append(facts, fmt.Sprintf("%d partitions", len(n.Partitions)))
	}
	for i, p := range n.OMR {
		if i == maxShownAddresses {
			break
		}
		facts = append(facts, p.String())
	}
	t.line("\n%s   %s   %s", n.Label(), n.ID(), strings.Join(facts, ", "))
	for _, b := range n.Borders {
		t.border(b)
	}
	for _, d := range n.Devices {
		t.device(d, n)
	}
}

func (t *textWriter) border(b *Border) {
	facts := []string{}
	add := func(s string) {
		if s != "" {
			facts = append(facts, s)
		}
	}
	add(b.product())
	if b.ThreadVersion != "" {
		add("Thread " + short(b.ThreadVersion))
	}
	add(b.role())
	if b.WaitsForKey {
		add("waits for a one-time code now")
	}
	t.entry("◆", b.Label(), facts)
	facts = nil
	if b.State.Known {
		facts = stateWords(b.State.Value)
	}
	for _, s := range b.Services {
		if s.Kind == discovery.KindMeshCoP && s.Port != 0 {
			add(fmt.Sprintf("border agent on port %d", s.Port))
			break
		}
	}
	if len(facts) > 0 {
		t.line("      %s", strings.Join(facts, ", "))
	}
	if len(b.Odd) > 0 {
		t.line("      ! of impossible length: %s", strings.Join(b.Odd, ", "))
	}
	t.where(b.Services[0])
}

func (t *textWriter) entry(mark, label string, facts []string) {
	if len(facts) == 0 {
		t.line("  %s %s", mark, label)
		return
	}
	t.line("  %s %s   %s", mark, label, strings.Join(facts, ", "))
}

// where writes a service's host and addresses.
func (t *textWriter) where(s *discovery.Service) {
	words := []string{}
	if !s.Host.IsRoot() {
		words = append(words, short(s.Host.String()))
	}
	words = append(words, addresses(s.Addresses)...)
	if len(words) > 0 {
		t.line("      %s", strings.Join(words, "  "))
	}
}

func addresses(all []netip.Addr) []string {
	var out []string
	for i, a := range all {
		if i == maxShownAddresses {
			return append(out, fmt.Sprintf("and %d more", len(all)-i))
		}
		out = append(out, short(a.String()))
	}
	return out
}

func (t *textWriter) device(d *Device, n *Network) {
	var facts []string
	nodes := d.Matter()
	if len(nodes) > 0 {
		facts = append(facts, "Matter on "+plural(len(nodes), "fabric"))
		if s := sleep(nodes[0].Session); s != "" {
			facts = append(facts, s)
		}
	}
	for _, s := range d.Services {
		switch s.Kind {
		case discovery.KindHAP:
			facts = append(facts, homeKit(discovery.ParseHAP(s.TXT)))
		case discovery.KindMatterC:
			facts = append(facts, waiting(discovery.ParseCommissionable(s.TXT))...)
		}
	}
	if n != nil && n.isBorder(d) {
		facts = append(facts, "is a border router of this network")
	}
	t.entry("○", d.Label(), facts)
	for i, o := range nodes {
		if i == maxShownAddresses {
			t.line("      and %d more", len(nodes)-i)
			break
		}
		t.line("      fabric %016X  node %016X", o.Fabric, o.Node)
	}
	t.where(d.Services[0])
}

func homeKit(h discovery.HAP) string {
	s := "HomeKit"
	if m := short(h.Model); m != "" {
		s += " " + m
	}
	if paired, ok := h.Paired(); ok && !paired {
		s += ", not paired"
	}
	return s
}

// waiting says how a device that waits is commissioned.
func waiting(c discovery.Commissionable) []string {
	var out []string
	switch {
	case c.CommissioningMode.Known && c.CommissioningMode.Value == 0:
		out = append(out, "commissioning window closed")
	case c.CommissioningMode.Known:
		out = append(out, "commissioning window open")
	}
	if c.Vendor.Known {
		s := fmt.Sprintf("vendor 0x%04x", c.Vendor.Value)
		if c.Product.Known {
			s += fmt.Sprintf(" product 0x%04x", c.Product.Value)
		}
		out = append(out, s)
	}
	if c.Discriminator.Known {
		out = append(out, fmt.Sprintf("discriminator %d", c.Discriminator.Value))
	}
	if how := c.PairingHints(); len(how) > 0 {
		out = append(out, strings.Join(how, " or "))
	}
	if s := short(c.PairingInstruction); s != "" {
		out = append(out, s)
	}
	return out
}

// rest writes what belongs to no device.
func (t *textWriter) rest(h *Home) {
	t.section("Also announced", len(h.Rest))
	for _, s := range h.Rest {
		var facts []string
		switch s.Kind {
		case discovery.KindHomeAssistant:
			ha := discovery.ParseHomeAssistant(s.TXT)
			facts = append(facts, "Home Assistant "+short(ha.Version))
			if u := short(ha.InternalURL); u != "" {
				facts = append(facts, u)
			} else if u := short(ha.BaseURL); u != "" {
				facts = append(facts, u)
			}
		case discovery.KindMatterD:
			facts = append(facts, "Matter commissioner")
			if n := short(discovery.ParseCommissionable(s.TXT).DeviceName); n != "" {
				facts = append(facts, n)
			}
		case discovery.KindMeshCoPE:
			facts = append(facts, "border agent that waits for a one-time code")
		case discovery.KindTREL:
			facts = append(facts, "Thread over the LAN (TREL), of a border router that does not announce itself")
		case discovery.KindSRPLTLS:
			facts = append(facts, "shares its registry of Thread devices")
		default:
			facts = append(facts, string(s.Kind))
		}
		label := short(s.Instance)
		if ha := discovery.ParseHomeAssistant(s.TXT); s.Kind == discovery.KindHomeAssistant && short(ha.Name) != "" {
			label = short(ha.Name)
		}
		t.entry("·", label, facts)
		t.where(s)
	}
}

func (t *textWriter) conflict(s *discovery.Service) {
	var hosts []string
	for _, o := range s.OtherHosts {
		hosts = append(hosts, short(o.String()))
	}
	if len(hosts) > 0 {
		t.line("  ! %s of %s is also announced by %s", short(s.Instance), short(s.Host.String()), list(hosts))
	}
	if n := len(s.OtherTXT); n > 0 {
		t.line("  ! %s: somebody says something else of it (%s)", short(s.Instance), plural(n, "other TXT record"))
	}
}
