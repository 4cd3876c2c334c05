package dump

import (
	"net/netip"
	"strconv"
	"strings"

	"threadmap/discovery"
)

// serviceInfo marks an announcement in a log of Home Assistant.
const serviceInfo = "ServiceInfo(type='"

// logged reads an announcement as Python's zeroconf prints it, in logs of Home
// Assistant's Thread integration. Written from Home Assistant core 147898.
//
//	AsyncServiceInfo(type='_meshcop._udp.local.', name='OTBR #9AA5._meshcop._udp.local.',
//	  addresses=[b'\xc0\x00\x02\x01'], port=49154, weight=0, priority=0,
//	  server='homeassistant.local.', properties={b'xa': b'\x92\xa5…', …}, interface_index=None)
func (m *mdnsList) logged(n int, t string) {
	_, t, _ = strings.Cut(t, serviceInfo)
	kind, _, _ := strings.Cut(t, "'")
	kind = strings.TrimSuffix(strings.TrimSuffix(kind, "."), ".local")
	name := string(afterPython(t, " name="))
	if i := strings.LastIndex(name, "."+kind+"."); i > 0 && kind != "" {
		name = name[:i]
	}
	s := m.inLog[kind+" "+name]
	if s == nil {
		if s = m.service(kind, name); s == nil {
			return
		}
		if m.inLog == nil {
			m.inLog = map[string]*discovery.Service{}
		}
		m.inLog[kind+" "+name] = s
	}
	s.Addresses = nil
	s.Host = hostName(string(afterPython(t, " server=")))
	if _, v, ok := strings.Cut(t, " port="); ok {
		v, _, _ = strings.Cut(v, ",")
		s.Port = portNumber(v)
	}
	for _, b := range pythonList(t, " addresses=[", ']') {
		if a, ok := netip.AddrFromSlice(b); ok && !a.IsUnspecified() && len(s.Addresses) < maxEndpoints {
			s.Addresses = append(s.Addresses, a)
		}
	}
	pairs := pythonList(t, " properties={", '}')
	var strs [][]byte
	for i := 0; i+1 < len(pairs); i += 2 {
		strs = append(strs, append(append(pairs[i], '='), pairs[i+1]...))
	}
	s.TXT = m.txt(n, strs)
}

// afterPython reads the literal behind mark.
func afterPython(t, mark string) []byte {
	_, rest, ok := strings.Cut(t, mark)
	if !ok {
		return nil
	}
	b, _, _ := pythonLiteral(rest)
	return b
}

// pythonList reads the octet strings up to the closing bracket. One value more
// or less than stands there would shift the others, so what is not of the form
// ends it.
func pythonList(t, mark string, closing byte) (out [][]byte) {
	_, rest, ok := strings.Cut(t, mark)
	for ok && len(out) < 4*maxTXT {
		rest = strings.TrimLeft(rest, " ,:")
		if rest == "" || rest[0] == closing {
			return out
		}
		var b []byte
		if after, none := strings.CutPrefix(rest, "None"); none { // a key without a value
			b, rest = []byte{}, after
		} else if b, rest, ok = pythonLiteral(rest); !ok {
			return out
		}
		out = append(out, b)
	}
	return out
}

// pythonLiteral reads b'…' or '…', with either quote.
func pythonLiteral(t string) (b []byte, rest string, ok bool) {
	t = strings.TrimPrefix(t, "b")
	if t == "" || t[0] != '\'' && t[0] != '"' {
		return nil, t, false
	}
	quote := t[0]
	b = []byte{}
	for i := 1; i < len(t); i++ {
		switch c := t[i]; {
		case c == quote:
			return b, t[i+1:], true
		case c != '\\' || i+1 == len(t):
			b = append(b, c)
		case t[i+1] == 'x' && i+3 < len(t):
			v, err := strconv.ParseUint(t[i+2:i+4], 16, 8)
			if err != nil {
				return nil, t, false
			}
			b = append(b, byte(v))
			i += 3
		default:
			i++
			switch t[i] {
			case 'n':
				b = append(b, '\n')
			case 'r':
				b = append(b, '\r')
			case 't':
				b = append(b, '\t')
			default: // a quote or a backslash
				b = append(b, t[i])
			}
		}
	}
	return nil, "", false
}
