package dump

import (
	"strconv"
	"strings"

	"threadmap/discovery"
)

// ownerName takes "Open\032Thread._meshcop._udp.local." apart.
func ownerName(s string) (kind, instance string) {
	s = strings.TrimSuffix(strings.TrimSuffix(s, "."), ".local")
	proto := strings.LastIndexByte(s, '.')
	if proto < 0 {
		return "", ""
	}
	service := strings.LastIndex(s[:proto], "._")
	if service <= 0 {
		return "", ""
	}
	return s[service+1:], string(unescapeDNS(s[:service]))
}

func hostName(s string) discovery.Name {
	s = strings.TrimSuffix(string(unescapeDNS(strings.TrimSpace(s))), ".")
	if s == "" || len(s) > 253 {
		return discovery.Name{}
	}
	n, err := discovery.NewName(strings.Split(s, ".")...)
	if err != nil {
		return discovery.Name{}
	}
	return n
}

func portNumber(s string) uint16 {
	v, err := strconv.ParseUint(strings.TrimSpace(s), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(v)
}

// unescapeDNS undoes "\032", a decimal octet, and "\." (RFC 1035, section 5.1).
func unescapeDNS(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		if i+3 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 10, 8); err == nil {
				out = append(out, byte(v))
				i += 3
				continue
			}
		}
		i++
		out = append(out, s[i])
	}
	return out
}

// splitQuoted reads strings between quotes, as Avahi and zone files have them.
// One that is not closed is left out.
func splitQuoted(s string) (out [][]byte) {
	for len(out) <= maxTXT {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		s = s[i+1:]
		end := 0
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(s) {
			break
		}
		out = append(out, unescapeDNS(s[:end]))
		s = s[end+1:]
	}
	return out
}

// splitShell reads strings between blanks, as "dns-sd -L" prints them for a
// shell: "\\x8C" is an octet, two times two backslashes one, and another
// character with one before it itself. Pages make one backslash of two.
func splitShell(s string) (out [][]byte) {
	var word []byte
	flush := func() {
		if len(word) > 0 {
			out = append(out, word)
		}
		word = nil
	}
	for i := 0; i < len(s) && len(out) <= maxTXT; i++ {
		rest := s[i:]
		switch {
		case rest[0] == ' ':
			flush()
		case rest[0] != '\\':
			word = append(word, rest[0])
		case strings.HasPrefix(rest, `\\\\`):
			word = append(word, '\\')
			i += 3
		default:
			marks := 1
			if strings.HasPrefix(rest, `\\x`) {
				marks = 2
			}
			if len(rest) >= marks+3 && rest[marks] == 'x' {
				if v, err := strconv.ParseUint(rest[marks+1:marks+3], 16, 8); err == nil {
					word = append(word, byte(v))
					i += marks + 2
					continue
				}
			}
			if len(rest) > 1 {
				word = append(word, rest[1])
				i++
			}
		}
	}
	flush()
	return out
}
