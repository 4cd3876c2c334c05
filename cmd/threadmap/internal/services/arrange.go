package services

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"threadmap/discovery"
)

// A Home is all services, arranged.
type Home struct {
	Services []discovery.Service // as given
	Networks []*Network          // by name, then id
	// Outside are border routers that name no network.
	Outside []*Border
	// Strays are Thread devices whose network is not known.
	Strays []*Device
	// Others are devices on Wi-Fi or Ethernet, or of which nothing says what they
	// are on.
	Others []*Device
	// Waiting are devices that wait to be commissioned, where no other service
	// tells of them.
	Waiting []*Device
	// Rest are the services that belong to no device of the above.
	Rest []*discovery.Service

	network map[*discovery.Service]*Network
}

// A Network is one Thread network.
type Network struct {
	ExtPANID   uint64
	Names      []string // as sent; more than one is a contradiction
	OMR        []netip.Prefix
	Partitions []uint32
	Borders    []*Border
	Devices    []*Device
}

// A Border is one border router.
type Border struct {
	discovery.MeshCoP
	Services []*discovery.Service // its `_meshcop._udp` first
	// WaitsForKey: a border agent waits for an ephemeral key.
	WaitsForKey bool
}

// A Device is one host, or one program on a host that has several.
type Device struct {
	Services []*discovery.Service
	// ExtAddr is the extended address that names its host; 0: none does.
	ExtAddr uint64
	Thread  bool
	MAC     bool // its host is named by a MAC address: Wi-Fi or Ethernet
}

// Arrange sorts services into networks, border routers and devices.
func Arrange(services []discovery.Service) *Home {
	h := &Home{Services: services, network: map[*discovery.Service]*Network{}}
	a := arranging{Home: h, nets: map[uint64]*Network{}, borders: map[string]*Border{}, hosts: map[string]*Border{}, devices: map[string]*Device{}}
	for i := range services {
		if s := &services[i]; s.Kind == discovery.KindMeshCoP {
			a.meshCoP(s)
		}
	}
	for i := range services {
		switch s := &services[i]; s.Kind {
		case discovery.KindMeshCoP:
		case discovery.KindTREL:
			a.trel(s)
		case discovery.KindMeshCoPE, discovery.KindSRPLTLS:
			a.companion(s)
		case discovery.KindMatter, discovery.KindHAP, discovery.KindMatterC:
			a.device(s)
		default:
			h.Rest = append(h.Rest, s)
		}
	}
	a.place()
	return h
}

// NetworkOf is the network that a service of Home.Services belongs to, nil for
// none that is known.
func (h *Home) NetworkOf(s *discovery.Service) *Network { return h.network[s] }

// An arranging is the work of one Arrange.
type arranging struct {
	*Home
	nets    map[uint64]*Network
	borders map[string]*Border
	hosts   map[string]*Border // nil: several border routers
	devices map[string]*Device
	order   []*Device
}

func (a *arranging) net(xp uint64) *Network {
	n := a.nets[xp]
	if n == nil {
		n = &Network{ExtPANID: xp}
		a.nets[xp] = n
		a.Networks = append(a.Networks, n)
	}
	return n
}

// meshCoP takes a border agent: the same id, address and network are the same
// border router, by whatever instance names it is announced.
func (a *arranging) meshCoP(s *discovery.Service) {
	m := discovery.ParseMeshCoP(s.TXT)
	key := fmt.Sprintf("%s %016x %016x", m.BorderAgentID, m.ExtAddr, m.ExtPANID)
	if m.BorderAgentID == "" && m.ExtAddr == 0 {
		key = "name " + s.Name.Fold().String() + " " + s.Host.Fold().String()
	}
	b := a.borders[key]
	if b == nil {
		b = &Border{MeshCoP: m}
		a.borders[key] = b
		if m.ExtPANID == 0 {
			a.Outside = append(a.Outside, b)
		} else {
			n := a.net(m.ExtPANID)
			n.Borders = append(n.Borders, b)
			if m.NetworkName != "" && !slices.Contains(n.Names, m.NetworkName) {
				n.Names = append(n.Names, m.NetworkName)
			}
			if m.OMRPrefix.IsValid() && !slices.Contains(n.OMR, m.OMRPrefix) {
				n.OMR = append(n.OMR, m.OMRPrefix)
			}
			if m.PartitionID.Known && !slices.Contains(n.Partitions, m.PartitionID.Value) {
				n.Partitions = append(n.Partitions, m.PartitionID.Value)
			}
		}
	}
	a.give(b, s)
	if !s.Host.IsRoot() {
		host := s.Host.Fold().String()
		if other, ok := a.hosts[host]; ok && other != b {
			a.hosts[host] = nil
		} else {
			a.hosts[host] = b
		}
	}
}

// give adds a service to a border router.
func (a *arranging) give(b *Border, s *discovery.Service) {
	b.Services = append(b.Services, s)
	if b.ExtPANID != 0 {
		a.network[s] = a.nets[b.ExtPANID]
	}
}

func (a *arranging) trel(s *discovery.Service) {
	t := discovery.ParseTREL(s.TXT)
	for _, key := range sortedKeys(a.borders) {
		if b := a.borders[key]; t.ExtAddr != 0 && b.ExtAddr == t.ExtAddr && (t.ExtPANID == 0 || b.ExtPANID == t.ExtPANID) {
			a.give(b, s)
			return
		}
	}
	if n := a.nets[t.ExtPANID]; n != nil && t.ExtPANID != 0 {
		a.network[s] = n
	}
	a.Rest = append(a.Rest, s)
}

// companion takes what runs beside a border agent: the host says whose it is,
// where just one border router is on it.
func (a *arranging) companion(s *discovery.Service) {
	b := a.hosts[s.Host.Fold().String()]
	if b == nil || s.Host.IsRoot() {
		a.Rest = append(a.Rest, s)
		return
	}
	a.give(b, s)
	b.WaitsForKey = b.WaitsForKey || s.Kind == discovery.KindMeshCoPE
}

// device takes a Matter or HomeKit device. A host that is named by an extended
// address is one radio; on another host several programs differ by their ports.
func (a *arranging) device(s *discovery.Service) {
	what, x := discovery.Host(s.Host)
	radio := what == discovery.HostExtAddr && !slices.ContainsFunc(s.Addresses, netip.Addr.Is4)
	key := s.Host.Fold().String()
	switch {
	case s.Host.IsRoot():
		key = "name " + s.Name.Fold().String()
	case !radio:
		key += fmt.Sprintf(" %d", s.Port)
	}
	d := a.devices[key]
	if d == nil {
		d = &Device{}
		a.devices[key] = d
		a.order = append(a.order, d)
	}
	if radio {
		d.ExtAddr, d.Thread = x, true
	}
	d.Thread = d.Thread || s.Kind == discovery.KindHAP // HomeKit over UDP is for Thread only
	d.MAC = d.MAC || what == discovery.HostMAC
	d.Services = append(d.Services, s)
}

// omrBits is the length that a prefix of a mesh has. A border router that
// announces a shorter one would claim the devices of others.
const omrBits = 64

// place puts the devices into networks and sorts everything.
func (a *arranging) place() {
	for _, d := range a.order {
		n := a.networkOf(d)
		for _, s := range d.Services {
			if n != nil {
				a.network[s] = n
			}
		}
		only := !slices.ContainsFunc(d.Services, func(s *discovery.Service) bool { return s.Kind != discovery.KindMatterC })
		switch {
		case n != nil:
			n.Devices = append(n.Devices, d)
		case only:
			a.Waiting = append(a.Waiting, d)
		case d.Thread:
			a.Strays = append(a.Strays, d)
		default:
			a.Others = append(a.Others, d)
		}
	}
	for _, n := range a.Networks {
		slices.Sort(n.Names)
		slices.Sort(n.Partitions)
		slices.SortFunc(n.OMR, netip.Prefix.Compare)
		slices.SortStableFunc(n.Borders, func(p, q *Border) int { return cmp.Compare(p.Label(), q.Label()) })
	}
	slices.SortFunc(a.Networks, func(p, q *Network) int {
		return cmp.Or(cmp.Compare(p.Label(), q.Label()), cmp.Compare(p.ExtPANID, q.ExtPANID))
	})
}

// networkOf is the one network whose prefix an address of the device has. A
// border router's own Matter node is where that is.
func (a *arranging) networkOf(d *Device) *Network {
	var found []*Network
	add := func(n *Network) {
		if n != nil && !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	if d.ExtAddr != 0 {
		for _, n := range a.Networks {
			if slices.ContainsFunc(n.Borders, func(b *Border) bool { return b.ExtAddr == d.ExtAddr }) {
				add(n)
			}
		}
	}
	if d.Thread && len(found) == 0 {
		for _, n := range a.Networks {
			for _, p := range n.OMR {
				if p.Bits() == omrBits && slices.ContainsFunc(d.Services, func(s *discovery.Service) bool { return slices.ContainsFunc(s.Addresses, p.Contains) }) {
					add(n)
				}
			}
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return nil
}

// Matter lists the fabrics and nodes of a device, each once.
func (d *Device) Matter() []discovery.Operational {
	var out []discovery.Operational
	for _, s := range d.Services {
		if o, ok := discovery.ParseOperational(s.Instance, s.TXT); ok && s.Kind == discovery.KindMatter &&
			!slices.ContainsFunc(out, func(x discovery.Operational) bool { return x.Fabric == o.Fabric && x.Node == o.Node }) {
			out = append(out, o)
		}
	}
	return out
}

// Conflicts lists the services that somebody else announces differently.
func (h *Home) Conflicts() []*discovery.Service {
	var out []*discovery.Service
	for i := range h.Services {
		if s := &h.Services[i]; len(s.OtherHosts)+len(s.OtherTXT) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// A Count is how much was announced.
type Count struct {
	Networks, BorderRouters, Devices int
}

// Count counts. A border router is no device, whatever else it runs.
func (h *Home) Count() Count {
	c := Count{Networks: len(h.Networks), BorderRouters: len(h.Outside), Devices: len(h.Strays) + len(h.Others) + len(h.Waiting)}
	for _, n := range h.Networks {
		c.BorderRouters += len(n.Borders)
		c.Devices += n.devices()
	}
	return c
}

// devices counts those that are no border router of the network.
func (n *Network) devices() int {
	out := 0
	for _, d := range n.Devices {
		if !n.isBorder(d) {
			out++
		}
	}
	return out
}

func (n *Network) isBorder(d *Device) bool {
	return d.ExtAddr != 0 && slices.ContainsFunc(n.Borders, func(b *Border) bool { return b.ExtAddr == d.ExtAddr })
}

// MayBeOpenThread reports whether the border router's own words say that it is
// one that may have OpenThread's REST interface.
func (b *Border) MayBeOpenThread() bool {
	words := strings.ToLower(b.Vendor + " " + b.Model)
	for _, s := range b.Services {
		words += " " + strings.ToLower(s.Instance)
	}
	return strings.Contains(words, "openthread") || strings.Contains(words, "home assistant")
}

// ID is the network's extended PAN id as it is written.
func (n *Network) ID() string { return fmt.Sprintf("%016x", n.ExtPANID) }

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// isText reports whether octets of a TXT value are text for people.
func isText(b []byte) bool {
	return clean(string(b)) == string(b) && !bytes.ContainsRune(b, '\uFFFD')
}
