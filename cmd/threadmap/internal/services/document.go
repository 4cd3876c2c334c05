package services

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/discovery"
)

// The formats of the documents.
const (
	Format      = "threadmap-services"
	EventFormat = "threadmap-services-event"
	version     = 1
)

// A Document is "threadmap-services", version 1: keys may be added, never
// renamed. render/schema has its schema.
type Document struct {
	Format   string       `json:"format"`
	Version  int          `json:"version"`
	Listened listenedDoc  `json:"listened"`
	Complete bool         `json:"complete"`
	Networks []networkDoc `json:"networks"`
	Services []serviceDoc `json:"services"`
	Asked    []askedDoc   `json:"asked"`
	Problems []problemDoc `json:"problems"`
}

type listenedDoc struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type networkDoc struct {
	ID            string      `json:"id"`
	ExtPANID      string      `json:"ext_pan_id"`
	Name          *string     `json:"name"`
	Names         []string    `json:"names"`
	OMRPrefixes   []string    `json:"omr_prefixes"`
	Partitions    []uint32    `json:"partitions"`
	BorderRouters []routerDoc `json:"border_routers"`
	Devices       int         `json:"devices"`
}

// routerDoc is what a border agent says of itself.
type routerDoc struct {
	Name            string   `json:"name"`
	BorderAgentID   *string  `json:"border_agent_id"`
	ExtAddr         *string  `json:"ext_addr"`
	NetworkName     *string  `json:"network_name"`
	ExtPANID        *string  `json:"ext_pan_id"`
	Vendor          *string  `json:"vendor"`
	Model           *string  `json:"model"`
	ThreadVersion   *string  `json:"thread_version"`
	Role            *string  `json:"role"`
	Partition       *uint32  `json:"partition"`
	ActiveTimestamp *string  `json:"active_timestamp"`
	OMRPrefix       *string  `json:"omr_prefix"`
	State           *string  `json:"state"`
	StateWords      []string `json:"state_words"`
	Odd             []string `json:"odd"`
}

type serviceDoc struct {
	Kind       string         `json:"kind"`
	Instance   string         `json:"instance"`
	Name       string         `json:"name"`
	Network    *string        `json:"network"`
	Host       *string        `json:"host"`
	Port       *uint16        `json:"port"`
	Addresses  []string       `json:"addresses"`
	TXT        []txtDoc       `json:"txt"` // nil: not known
	Interfaces []string       `json:"interfaces"`
	Responders []responderDoc `json:"responders"`
	First      *string        `json:"first"`
	Last       *string        `json:"last"`
	OtherHosts []string       `json:"other_hosts"`
	OtherTXT   [][]txtDoc     `json:"other_txt"`

	BorderRouter   *routerDoc         `json:"border_router"`
	Matter         *matterDoc         `json:"matter"`
	Session        *sessionDoc        `json:"session"`
	Commissionable *commissionableDoc `json:"commissionable"`
	HomeKit        *homeKitDoc        `json:"homekit"`
	HomeAssistant  *homeAssistantDoc  `json:"home_assistant"`
}

type responderDoc struct {
	Address   string  `json:"address"`
	Interface string  `json:"interface"`
	Host      *string `json:"host"`
}

// txtDoc is one string of a TXT record: the octets, and what they say.
type txtDoc struct {
	Hex   string  `json:"hex"`
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

type matterDoc struct {
	Fabric string `json:"fabric"`
	Node   string `json:"node_id"`
}

type sessionDoc struct {
	IdleMS      *int64 `json:"idle_ms"`
	ActiveMS    *int64 `json:"active_ms"`
	ThresholdMS *int64 `json:"threshold_ms"`
	LIT         *bool  `json:"lit"`
	TCP         *uint8 `json:"tcp"`
}

type commissionableDoc struct {
	Mode          *uint8   `json:"mode"`
	Discriminator *uint16  `json:"discriminator"`
	Vendor        *uint16  `json:"vendor_id"`
	Product       *uint16  `json:"product_id"`
	DeviceType    *uint32  `json:"device_type"`
	DeviceName    *string  `json:"device_name"`
	Hints         []string `json:"hints"`
	Instruction   *string  `json:"instruction"`
}

type homeKitDoc struct {
	ID       *string `json:"id"`
	Model    *string `json:"model"`
	Paired   *bool   `json:"paired"`
	Category *uint32 `json:"category"`
}

type homeAssistantDoc struct {
	Name        *string `json:"name"`
	Version     *string `json:"version"`
	InternalURL *string `json:"internal_url"`
	ExternalURL *string `json:"external_url"`
}

// askedDoc sums up who looks for one name.
type askedDoc struct {
	Name      string     `json:"name"`
	Kind      *string    `json:"kind"`
	Matter    *matterDoc `json:"matter"`
	Types     []string   `json:"types"`
	Askers    []askerDoc `json:"askers"`
	Count     int        `json:"count"`
	First     string     `json:"first"`
	Last      string     `json:"last"`
	Announced bool       `json:"announced"` // when it was first asked for
	Answered  *string    `json:"answered"`  // when an answer was last heard; null: none was
}

type askerDoc struct {
	Address   string `json:"address"`
	Interface string `json:"interface"`
	Count     int    `json:"count"`
}

type problemDoc struct {
	Source  string  `json:"source"`
	Target  string  `json:"target"`
	Stage   string  `json:"stage"`
	Error   string  `json:"error"`
	Hint    *string `json:"hint"`
	Partial bool    `json:"partial"`
}

// NewDocument makes the document of what was heard between two times.
func (h *Home) NewDocument(from, to time.Time, asked []discovery.Asked, problems []diag.Problem) *Document {
	d := &Document{Format: Format, Version: version, Listened: listenedDoc{stamp(from), stamp(to)}, Complete: true,
		Networks: each(h.Networks, networkOf), Services: []serviceDoc{}, Asked: []askedDoc{}, Problems: []problemDoc{}}
	for i := range h.Services {
		s := &h.Services[i]
		d.Services = append(d.Services, serviceOf(s, h.network[s]))
	}
	for i := range asked {
		d.Asked = append(d.Asked, askedOf(&asked[i]))
	}
	for _, p := range problems {
		d.Complete = d.Complete && !p.Partial
		d.Problems = append(d.Problems, problemDoc{clean(p.Source), clean(p.Target), string(p.Stage), clean(p.Text), known(p.Hint), p.Partial})
	}
	return d
}

func networkOf(n *Network) networkDoc {
	d := networkDoc{ID: n.ID(), ExtPANID: n.ID(), Names: each(n.Names, clean), OMRPrefixes: each(n.OMR, netip.Prefix.String),
		Partitions:    append([]uint32{}, n.Partitions...),
		BorderRouters: each(n.Borders, func(b *Border) routerDoc { return routerOf(b.Services[0].Instance, b.MeshCoP) }), Devices: n.devices()}
	if len(d.Names) > 0 {
		d.Name = known(d.Names[0])
	}
	return d
}

func routerOf(name string, m discovery.MeshCoP) routerDoc {
	d := routerDoc{Name: clean(name), BorderAgentID: known(m.BorderAgentID), ExtAddr: hex16(m.ExtAddr), NetworkName: known(m.NetworkName), ExtPANID: hex16(m.ExtPANID),
		Vendor: known(m.Vendor), Model: known(m.Model), ThreadVersion: known(m.ThreadVersion), Partition: opt(m.PartitionID), StateWords: []string{}, Odd: []string{}}
	if m.ActiveTimestamp.Known {
		d.ActiveTimestamp = new(fmt.Sprintf("%016x", m.ActiveTimestamp.Value))
	}
	if m.OMRPrefix.IsValid() {
		d.OMRPrefix = new(m.OMRPrefix.String())
	}
	if m.State.Known {
		d.State = new(fmt.Sprintf("0x%08x", uint32(m.State.Value)))
		d.StateWords = append(d.StateWords, stateWords(m.State.Value)...)
		b := Border{MeshCoP: m}
		d.Role = known(b.role())
	}
	d.Odd = append(d.Odd, m.Odd...)
	return d
}

func serviceOf(s *discovery.Service, n *Network) serviceDoc {
	d := serviceDoc{Kind: string(s.Kind), Instance: clean(s.Instance), Name: ascii(s.Name), Interfaces: each(s.Interfaces, clean), Responders: []responderDoc{},
		Addresses: each(s.Addresses, func(a netip.Addr) string { return clean(a.String()) }),
		First:     when(s.First), Last: when(s.Last), OtherHosts: each(s.OtherHosts, ascii), OtherTXT: each(s.OtherTXT, txtOf), TXT: txtOf(s.TXT)}
	if n != nil {
		d.Network = new(n.ID())
	}
	if !s.Host.IsRoot() {
		d.Host, d.Port = new(ascii(s.Host)), new(s.Port)
	}
	for _, r := range s.Responders {
		x := responderDoc{Address: clean(r.Addr.String()), Interface: clean(r.Interface)}
		if !r.Host.IsRoot() {
			x.Host = new(ascii(r.Host))
		}
		d.Responders = append(d.Responders, x)
	}
	meaning(&d, s)
	return d
}

// meaning fills in what the TXT record says.
func meaning(d *serviceDoc, s *discovery.Service) {
	if s.TXT == nil && s.Kind != discovery.KindMatter {
		return
	}
	switch s.Kind {
	case discovery.KindMeshCoP:
		d.BorderRouter = new(routerOf(s.Instance, discovery.ParseMeshCoP(s.TXT)))
	case discovery.KindMatter:
		if o, ok := discovery.ParseOperational(s.Instance, s.TXT); ok {
			d.Matter, d.Session = matterOf(o.Fabric, o.Node), sessionOf(o.Session)
		}
	case discovery.KindMatterC, discovery.KindMatterD:
		c := discovery.ParseCommissionable(s.TXT)
		d.Commissionable = &commissionableDoc{opt(c.CommissioningMode), opt(c.Discriminator), opt(c.Vendor), opt(c.Product), opt(c.DeviceType),
			known(c.DeviceName), append([]string{}, c.PairingHints()...), known(c.PairingInstruction)}
		d.Session = sessionOf(c.Session)
	case discovery.KindHAP:
		h := discovery.ParseHAP(s.TXT)
		d.HomeKit = &homeKitDoc{ID: known(h.ID), Model: known(h.Model), Category: opt(h.Category)}
		if paired, ok := h.Paired(); ok {
			d.HomeKit.Paired = &paired
		}
	case discovery.KindHomeAssistant:
		ha := discovery.ParseHomeAssistant(s.TXT)
		d.HomeAssistant = &homeAssistantDoc{known(ha.Name), known(ha.Version), known(ha.InternalURL), known(ha.ExternalURL)}
	}
}

func sessionOf(s discovery.Session) *sessionDoc {
	ms := func(o discovery.Opt[time.Duration]) *int64 {
		if !o.Known {
			return nil
		}
		return new(o.Value.Milliseconds())
	}
	return &sessionDoc{ms(s.Idle), ms(s.Active), ms(s.Threshold), opt(s.LIT), opt(s.TCP)}
}

func matterOf(fabric, node uint64) *matterDoc {
	return &matterDoc{fmt.Sprintf("%016x", fabric), fmt.Sprintf("%016x", node)}
}

func askedOf(a *discovery.Asked) askedDoc {
	d := askedDoc{Name: ascii(a.Name), Kind: known(string(a.Kind)), Types: each(a.Types, discovery.Type.String), Count: a.Count,
		First: stamp(a.First), Last: stamp(a.Last), Announced: a.There, Answered: when(a.Answered),
		Askers: each(a.Askers, func(x discovery.Asker) askerDoc { return askerDoc{clean(x.Addr.String()), clean(x.Interface), x.Count} })}
	if a.Fabric != 0 {
		d.Matter = matterOf(a.Fabric, a.Node)
	}
	return d
}

// txtOf is nil where the record is not known.
func txtOf(t discovery.TXT) []txtDoc {
	if t == nil {
		return nil
	}
	out := []txtDoc{}
	for _, s := range t {
		d := txtDoc{Hex: hex.EncodeToString(s)}
		key, value, has := strings.Cut(string(s), "=")
		if key != "" && isText([]byte(key)) {
			d.Key = &key
		}
		if has && isText([]byte(value)) {
			d.Value = &value
		}
		out = append(out, d)
	}
	return out
}

// ascii is the presentation form of a name (RFC 1035) in printable ASCII: what
// is no such octet stands there as \DDD.
func ascii(n discovery.Name) string {
	s := n.String()
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			fmt.Fprintf(&b, `\%03d`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// each is what is made of each of some, never nil: in JSON a list is a list.
func each[T, D any](some []T, of func(T) D) []D {
	out := make([]D, 0, len(some))
	for _, x := range some {
		out = append(out, of(x))
	}
	return out
}

// known is nil for "" and else the cleaned text.
func known(s string) *string {
	if s = clean(s); s == "" {
		return nil
	}
	return &s
}

func opt[T any](o discovery.Opt[T]) *T {
	if !o.Known {
		return nil
	}
	return &o.Value
}

func hex16(v uint64) *string {
	if v == 0 {
		return nil
	}
	return new(fmt.Sprintf("%016x", v))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func when(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(stamp(t))
}
