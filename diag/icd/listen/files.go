package listen

import (
	"encoding/hex"
	"io"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
)

// Bounds of what is read of the system's files.
const (
	maxFile    = 1 << 20
	maxRoutes  = 8192
	maxFolders = 64
)

// read gives a file whole; ok is false where it is missing, or too long.
func read(root fs.FS, name string) (string, bool) {
	if !fs.ValidPath(name) {
		return "", false
	}
	if info, err := fs.Stat(root, name); err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	f, err := root.Open(name)
	if err != nil {
		return "", false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return string(b), err == nil && len(b) <= maxFile
}

// setting is a number in a file of its own.
func setting(root fs.FS, name string) (string, bool) {
	s, ok := read(root, name)
	s = strings.TrimSpace(s)
	if _, err := strconv.Atoi(s); !ok || err != nil {
		return "", false
	}
	return s, true
}

// folders are the names of the interfaces in a folder, without the kernel's
// "all" and "default".
func folders(root fs.FS, name string) (out []string) {
	list, _ := fs.ReadDir(root, name)
	for _, e := range list {
		if n := e.Name(); n != "all" && n != "default" && n != "lo" && len(out) < maxFolders {
			out = append(out, n)
		}
	}
	return out
}

// A route is a line of /proc/net/ipv6_route.
type route struct {
	to      netip.Prefix
	refused bool
}

// Flags of routes (linux/ipv6_route.h).
const (
	flagUp      = 0x00000001
	flagReject  = 0x00000200
	flagAnycast = 0x00100000
	flagCache   = 0x01000000
	flagLocal   = 0x80000000
)

// routes6 reads the IPv6 routes of all tables; ok is false where they can't be
// read whole.
func routes6(root fs.FS) (out []route, ok bool) {
	text, ok := read(root, "proc/net/ipv6_route")
	if !ok {
		return nil, false
	}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 10 || len(f[0]) != 32 || len(out) >= maxRoutes {
			return nil, false
		}
		var to [16]byte
		_, err1 := hex.Decode(to[:], []byte(f[0]))
		length, err2 := strconv.ParseUint(f[1], 16, 8)
		metric, err3 := strconv.ParseUint(f[5], 16, 32)
		flags, err4 := strconv.ParseUint(f[8], 16, 32)
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil || length > 128 {
			return nil, false
		}
		reject := flags&flagReject != 0
		// The entry that ends each table, which refuses all, is none that anybody made.
		if flags&(flagLocal|flagAnycast|flagCache) == 0 && (flags&flagUp != 0 || reject) && metric != 0xffffffff {
			out = append(out, route{netip.PrefixFrom(netip.AddrFrom16(to), int(length)).Masked(), reject})
		}
	}
	return out, true
}

// covering says what the table has for a prefix: a route of its own, one to
// everything, or one that refuses it. The longest counts.
func covering(routes []route, p netip.Prefix) (exact, byDefault, refused bool) {
	longest := -1
	for _, r := range routes {
		if r.to.Bits() > p.Bits() || !r.to.Contains(p.Addr()) || r.to.Bits() < longest {
			continue
		}
		if r.to.Bits() > longest {
			exact, byDefault, refused = false, false, false
		}
		longest = r.to.Bits()
		switch {
		case r.refused:
			refused = true
		case r.to.Bits() == 0:
			byDefault = true
		default:
			exact = true
		}
	}
	return exact, byDefault, refused && !exact && !byDefault
}
