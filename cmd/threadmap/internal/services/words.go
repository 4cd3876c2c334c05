package services

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"threadmap/discovery"
	"threadmap/render"
)

func clean(s string) string { return render.Clean(s) }

// shortName is how much of a stranger's name stands in a line, in bytes.
const shortName = 100

// short is a cleaned text that leaves room for others.
func short(s string) string {
	s = clean(s)
	if len(s) <= shortName {
		return s
	}
	r := []rune(s[:shortName])
	return strings.ToValidUTF8(string(r[:len(r)-1]), "") + "…"
}

// Label is what the network is called: its name, else its id.
func (n *Network) Label() string {
	for _, s := range n.Names {
		if s = short(s); s != "" {
			return s
		}
	}
	return n.ID()
}

// Label is the name under which the border router announces itself.
func (b *Border) Label() string {
	for _, s := range b.Services {
		if s := short(s.Instance); s != "" {
			return s
		}
	}
	return "nameless"
}

// Label is the device's own name where it gave one, else its host's.
func (d *Device) Label() string {
	for _, s := range d.Services {
		name := ""
		switch s.Kind {
		case discovery.KindHAP:
			name = s.Instance
		case discovery.KindMatterC:
			name = discovery.ParseCommissionable(s.TXT).DeviceName
		}
		if name = short(name); name != "" {
			return name
		}
	}
	for _, s := range d.Services {
		if name := short(s.HostLabel()); name != "" {
			return name
		}
	}
	return short(d.Services[0].Instance)
}

// product is "Vendor Model".
func (b *Border) product() string {
	v, m := short(b.Vendor), short(b.Model)
	if m != "" && strings.HasPrefix(strings.ToLower(m), strings.ToLower(v)) {
		return m
	}
	return strings.TrimSpace(v + " " + m)
}

// role is what it does in its mesh, "" where it does not say.
func (b *Border) role() string {
	if !b.State.Known {
		return ""
	}
	switch b.State.Value.Role() {
	case discovery.RoleLeader:
		return "leader"
	case discovery.RoleRouter:
		return "router"
	case discovery.RoleChild:
		return "child"
	}
	return ""
}

// stateWords says the state bitmap in words.
func stateWords(s discovery.StateBitmap) []string {
	var out []string
	add := func(when bool, what string) {
		if when {
			out = append(out, what)
		}
	}
	switch s.Interface() {
	case discovery.InterfaceOff:
		out = append(out, "Thread is off")
	case discovery.InterfaceInitialized:
		out = append(out, "not attached to a mesh")
	}
	mode := s.ConnectionMode()
	out = append(out, [...]string{"takes no commissioner", "takes a commissioner with the PSKc", "takes a commissioner with a PSKd", "takes a commissioner in its maker's way", "takes a commissioner with a certificate", "", "", ""}[mode])
	if mode > 4 {
		out[len(out)-1] = fmt.Sprintf("connection mode %d", mode)
	}
	add(s.EphemeralKey(), "can take a one-time code")
	add(s.HighAvailability(), "always on")
	add(s.BBRActive() && !s.BBRPrimary(), "backbone router")
	add(s.BBRActive() && s.BBRPrimary(), "primary backbone router")
	add(s.MultiAIL() == 2, "sees several LANs at once")
	add(s.BorderAdmitter(), "can admit joiners")
	return out
}

// sleep says how the device listens, by its session parameters; "" where
// nothing hints at sleep.
func sleep(s discovery.Session) string {
	idle, known := s.IdleInterval()
	switch {
	case s.LIT.Known && s.LIT.Value:
		return "sleepy, for long times (LIT)"
	case known && s.Idle.Known && idle > time.Second: // a receiver that is always on needs no such time
		return "sleepy, listens every " + seconds(idle)
	}
	return ""
}

// seconds is a time as "5 s" or "0.5 s".
func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return fmt.Sprintf("%d.%d s", d/time.Second, d%time.Second/(100*time.Millisecond))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// list says "a, b and c", the first few of many.
func list(words []string) string {
	const most = 8
	if len(words) > most {
		words = append(slices.Clone(words[:most]), plural(len(words)-most, "other"))
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// String is "3 networks, 6 border routers, 41 devices".
func (c Count) String() string {
	return plural(c.Networks, "network") + ", " + plural(c.BorderRouters, "border router") + ", " + plural(c.Devices, "device")
}

// Sentence says in one line what was announced.
func (h *Home) Sentence() string {
	c := h.Count()
	rest := plural(c.BorderRouters, "border router") + ", " + plural(c.Devices, "device")
	var names, split []string
	for _, n := range h.Networks {
		names = append(names, n.Label())
		if len(n.Partitions) > 1 {
			split = append(split, fmt.Sprintf("%s is split into %d partitions", n.Label(), len(n.Partitions)))
		}
	}
	tail := "; " + rest + "."
	if len(split) > 0 {
		tail = "; " + strings.Join(split[:min(len(split), 3)], "; ") + tail
	}
	switch {
	case len(h.Networks) > 1:
		return fmt.Sprintf("You have %d separate Thread networks: %s%s", len(h.Networks), list(names), tail)
	case len(h.Networks) == 1:
		return fmt.Sprintf("One Thread network: %s%s", names[0], tail)
	case c.BorderRouters+c.Devices > 0:
		return "No Thread network is announced; " + rest + "."
	case len(h.Services) > 0:
		return "No Thread network is announced."
	}
	return "Nothing is announced that belongs to Thread or Matter."
}
