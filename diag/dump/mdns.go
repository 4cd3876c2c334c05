package dump

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag/dnssd"
	"threadmap/discovery"
)

// Bounds of a listing of announcements.
const (
	maxServices  = 4096
	maxTXT       = 64 // strings of a record
	maxEndpoints = 64 // addresses of a host
)

// readMDNS reads what programs that list DNS-SD announcements print: of Avahi
// "avahi-browse -r" and "avahi-browse -rp", of Apple's mDNSResponder "dns-sd
// -B", "-L", "-G" and "-Z". Written from what people pasted (ot-br-posix 702 and
// 1405, Avahi 608) and OpenThread's guide on mDNS discovery; "-Z", of which none
// was found, from RFC 1035's form of zone files.
//
//	=  wlan0 IPv4 OpenThread BorderRouter #0F07   _meshcop._udp        local
//	   hostname = [raspberrypi.local]
//	   address = [192.0.2.7]
//	   port = [49154]
//	   txt = ["xa=…" "tv=1.3.0" "xp=\017\017\017\0173333" "rv=1"]
//
// An instance is printed once for each interface and protocol, each time with
// one address: these are one. Command lines of OpenThread may stand in the same
// paste; they are read, too.
func readMDNS(in *input, out *output) bool {
	if in.json || !bytes.Contains(in.body, []byte("._udp")) && !bytes.Contains(in.body, []byte("._tcp")) {
		return false
	}
	m := &mdnsList{out: out}
	for rest, n := in.body, 1; len(rest) > 0 && n <= maxLines; n++ {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) <= maxLine {
			m.line(n, line)
		}
	}
	m.end()
	for _, r := range dnssd.Reports(m.found(), in.at, in.name) {
		m.told = true
		out.report(r)
	}
	if !m.told {
		return false
	}
	readCLI(in, out)
	return true
}

// An mdnsList is a listing being read.
type mdnsList struct {
	out      *output
	services []*discovery.Service
	inLog    map[string]*discovery.Service // by kind and name: a log tells of one many times
	hosts    map[string][]netip.Addr       // by folded name, of "dns-sd -G"
	open     *discovery.Service            // the lines below are of it
	reached  bool                          // the open one is of "dns-sd -L": its TXT record is the next line
	lossy    bool                          // some octets were lost, so others may be
	told     bool
}

func (m *mdnsList) line(n int, b []byte) {
	t := strings.TrimSpace(string(b))
	switch {
	case strings.Contains(t, serviceInfo):
		m.end()
		m.logged(n, t)
	case strings.HasPrefix(t, "=;"), strings.HasPrefix(t, "+;"):
		m.end()
		m.parseable(n, t)
	case strings.HasPrefix(t, "= "), strings.HasPrefix(t, "+ "):
		m.end()
		m.browsed(t)
	case m.open != nil && !m.reached:
		m.property(n, t)
	case strings.Contains(t, " can be reached at "):
		m.end()
		m.lookedUp(t)
	case m.reached:
		if strings.Contains(t, "=") {
			m.open.TXT = m.txt(n, splitShell(t))
			m.end()
		}
	case strings.Contains(t, " SRV ") || strings.Contains(t, " TXT ") || strings.Contains(t, "\tSRV\t") || strings.Contains(t, "\tTXT\t"):
		m.zone(n, t)
	case strings.Contains(t, " Add "):
		m.added(t)
	}
}

// end closes the open service.
func (m *mdnsList) end() { m.open, m.reached = nil, false }

// service opens an instance: one of a kind that is known.
func (m *mdnsList) service(kind, instance string) *discovery.Service {
	k := discovery.Kind(strings.ToLower(strings.TrimSuffix(kind, ".")))
	if !slices.Contains(discovery.Kinds, k) || len(m.services) >= maxServices {
		return nil
	}
	name, err := k.InstanceName(instance)
	if err != nil {
		return nil
	}
	s := &discovery.Service{Kind: k, Instance: instance, Name: name}
	m.services = append(m.services, s)
	return s
}

// browsed reads the first line of an instance: "= IFACE IPvN NAME TYPE DOMAIN".
// The name is printed as it is, so it may hold blanks, and its column is padded.
func (m *mdnsList) browsed(t string) {
	f := strings.Fields(t)
	if len(f) < 6 || f[2] != "IPv4" && f[2] != "IPv6" {
		return
	}
	kind := f[len(f)-2]
	if !strings.HasPrefix(kind, "_") {
		return // a type that Avahi has a name for: none of ours
	}
	_, name, _ := strings.Cut(t, " "+f[2]+" ")
	name = strings.TrimSpace(name[:max(0, strings.LastIndex(name, kind))])
	s := m.service(kind, name)
	if t[0] == '=' {
		m.open = s
	}
}

// property reads a line below the first one.
func (m *mdnsList) property(n int, t string) {
	key, v, ok := strings.Cut(t, " = [")
	v, closed := strings.CutSuffix(v, "]")
	switch {
	case !ok || !slices.Contains([]string{"hostname", "address", "port", "txt"}, key):
		m.end()
	case !closed && key == "txt":
		m.out.problem(dnssd.Name, "%s", lineError(n, "TXT record is cut off: skipped"))
	case key == "hostname":
		m.open.Host = hostName(v)
	case key == "address":
		m.address(m.open, v)
	case key == "port":
		m.open.Port = portNumber(v)
	case key == "txt":
		m.open.TXT = m.txt(n, splitQuoted(v))
	}
}

// parseable reads a line of "avahi-browse -p": columns between ";", of which
// the name is escaped as in DNS and the last, TXT, may hold more of them.
func (m *mdnsList) parseable(n int, t string) {
	f := strings.SplitN(t, ";", 10)
	if len(f) < 6 {
		return
	}
	s := m.service(f[4], string(unescapeDNS(f[3])))
	if s == nil || f[0] == "+" {
		return
	}
	if len(f) < 9 {
		m.out.problem(dnssd.Name, "%s", lineError(n, "announcement is cut off: only its name is read"))
		return
	}
	s.Host, s.Port = hostName(f[6]), portNumber(f[8])
	m.address(s, f[7])
	if len(f) == 10 {
		s.TXT = m.txt(n, splitQuoted(f[9]))
	}
}

// lookedUp reads a line of "dns-sd -L": "TIME NAME can be reached at HOST:PORT
// (interface N)". The line after it is the TXT record.
func (m *mdnsList) lookedUp(t string) {
	left, right, _ := strings.Cut(t, " can be reached at ")
	f := strings.Fields(left)
	if len(f) == 0 {
		return
	}
	kind, instance := ownerName(f[len(f)-1])
	s := m.service(kind, instance)
	if s == nil {
		return
	}
	host, _, _ := strings.Cut(right, " ")
	if i := strings.LastIndexByte(host, ':'); i > 0 {
		s.Host, s.Port = hostName(host[:i]), portNumber(host[i+1:])
	}
	m.open, m.reached = s, true
}

// zone reads a line of "dns-sd -Z", which is that of a zone file.
func (m *mdnsList) zone(n int, t string) {
	f := strings.Fields(t)
	if len(f) < 3 {
		return
	}
	kind, instance := ownerName(f[0])
	switch {
	case f[1] == "SRV" && len(f) >= 6:
		if s := m.service(kind, instance); s != nil {
			s.Host, s.Port = hostName(f[5]), portNumber(f[4])
		}
	case f[1] == "TXT":
		k := discovery.Kind(strings.ToLower(kind))
		for _, s := range m.services[max(0, len(m.services)-64):] { // it stands near its SRV
			if s.Kind == k && s.Instance == instance && s.TXT == nil {
				_, after, _ := strings.Cut(t, "TXT")
				s.TXT = m.txt(n, splitQuoted(after))
			}
		}
	}
}

// added reads a line of "dns-sd -B", which names an instance, or of "dns-sd
// -G", which gives an address of a host.
func (m *mdnsList) added(t string) {
	f := strings.Fields(t)
	if len(f) >= 7 && f[1] == "Add" && strings.HasPrefix(f[5], "_") {
		_, name, _ := strings.Cut(t, f[5])
		m.service(f[5], strings.TrimSpace(name))
		return
	}
	if len(f) < 6 || f[1] != "Add" || !strings.Contains(f[4], ".") {
		return
	}
	word, _, _ := strings.Cut(f[5], "%")
	a, err := netip.ParseAddr(word)
	host := hostName(f[4])
	if err != nil || host.IsRoot() || len(m.hosts) >= maxServices {
		return
	}
	if m.hosts == nil {
		m.hosts = map[string][]netip.Addr{}
	}
	if key := host.Fold().String(); len(m.hosts[key]) < maxEndpoints {
		m.hosts[key] = append(m.hosts[key], a)
	}
}

func (m *mdnsList) address(s *discovery.Service, word string) {
	if a, err := netip.ParseAddr(word); err == nil && !a.IsUnspecified() {
		s.Addresses = append(s.Addresses, a.WithZone("")) // another machine's interface
	}
}

// txt keeps the strings of a TXT record. Octets over 127 stand in Avahi's
// output as they are, so they are often gone after a terminal or a web page:
// what shows that is left out, and a value of the wrong length is not read by
// those who know its length.
func (m *mdnsList) txt(n int, strs [][]byte) discovery.TXT {
	out, lost := discovery.TXT{}, false
	for _, s := range strs[:min(len(strs), maxTXT)] {
		if bytes.Contains(s, []byte("\uFFFD")) {
			lost = true
			continue
		}
		if questionable(s) {
			lost = true
			continue
		}
		out = append(out, s)
	}
	if lost || isMeshCoP(out) && len(discovery.ParseMeshCoP(out).Odd) > 0 {
		m.loss(n)
	}
	return out
}

// questionable reports whether s may be an id whose octets over 127 were
// replaced by question marks: of 16 random octets, or of 8, there are nearly
// always some, and a question mark is rare.
func questionable(s []byte) bool {
	key, v, _ := bytes.Cut(s, []byte("="))
	switch strings.ToLower(string(key)) {
	case "id", "xa", "xp":
		return bytes.IndexByte(v, '?') >= 0 && !bytes.ContainsFunc(v, func(r rune) bool { return r > 0x7f })
	}
	return false
}

// loss tells once that octets are missing.
func (m *mdnsList) loss(n int) {
	if !m.lossy {
		m.out.problem(dnssd.Name, "%s", lineError(n, "TXT record lost octets on the way through a terminal or a page, so its ids are not read: save it with \"avahi-browse -rpt _meshcop._udp > FILE\""))
	}
	m.lossy = true
}

func isMeshCoP(t discovery.TXT) bool {
	_, nn := t.Get("nn")
	_, sb := t.Get("sb")
	return nn || sb
}

// found joins what is one: an instance on a host. One that was only browsed
// counts where nothing resolved it.
func (m *mdnsList) found() []discovery.Service {
	var out []discovery.Service
	type key struct{ name, host string }
	at := map[key]int{}
	resolved := map[string]bool{}
	for _, s := range m.services {
		if !s.Host.IsRoot() {
			resolved[s.Name.Fold().String()] = true
		}
	}
	for _, s := range m.services {
		name := s.Name.Fold().String()
		if s.Host.IsRoot() && resolved[name] {
			continue
		}
		k := key{name, s.Host.Fold().String()}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, *s)
			out[i].Addresses = nil
			if !s.Host.IsRoot() {
				out[i].Addresses = slices.Clone(m.hosts[k.host])
			}
		}
		o := &out[i]
		for _, a := range s.Addresses {
			if len(o.Addresses) < maxEndpoints && !slices.Contains(o.Addresses, a) {
				o.Addresses = append(o.Addresses, a)
			}
		}
		if len(s.TXT) > 0 { // the one printed last is the newest
			o.TXT = s.TXT
		}
		if s.Port != 0 {
			o.Port = s.Port
		}
	}
	return out
}
