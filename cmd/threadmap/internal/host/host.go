package host

import (
	"io/fs"
	"net/netip"
	"os"
	"runtime"

	"threadmap/diag"
	"threadmap/topology/doctor"
)

// Look gathers what can be known of this machine now. For each of the prefixes
// it asks the system for the way there, without sending anything. It takes some
// milliseconds and never fails: what can't be learnt is left out.
func Look(prefixes ...netip.Prefix) *doctor.Host {
	m := machine{system: runtime.GOOS, nics: interfaces(), wayTo: wayTo}
	if m.system == "linux" {
		m.root = os.DirFS("/")
	}
	return m.look(prefixes)
}

// A machine is where facts come from.
type machine struct {
	system string
	root   fs.FS // of Linux' files; nil elsewhere
	nics   []nic
	wayTo  func(netip.Addr) (answer, bool)
}

func (m *machine) look(prefixes []netip.Prefix) *doctor.Host {
	h := &doctor.Host{System: m.system}
	if m.root != nil {
		h.Routes, h.Routes4 = routes6(m.root), routes4(m.root)
		h.WSL = wsl(m.root)
		h.Container = diag.Some(container(m.root))
		h.Managers = managers(m.root)
		if c, _ := h.Container.Get(); c == "" { // in a container the host's are not seen
			h.Firewalls = firewalls(m.root)
		}
		h.Avahi = avahi(m.root)
	}
	h.Interfaces = m.interfaces()
	h.Ways = m.ways(prefixes, h.Interfaces)
	return h
}
