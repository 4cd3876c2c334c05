package netdiag

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"threadmap/diag"
)

// MaxNetworkData is the largest Network Data that is read, in octets. Thread
// keeps it within 254; the rest is room for stacks that count their header.
const MaxNetworkData = 1024

// ThreadEnterprise is the IANA enterprise number that a Service TLV means when
// its T bit is set (Thread 5.18.6).
const ThreadEnterprise = 44970

// Network Data TLV types (Thread 5.18.1). On the wire the type stands in the
// upper seven bits of its octet and the lowest bit says "stable".
const (
	typeHasRoute      = 0
	typePrefix        = 1
	typeBorderRouter  = 2
	typeContext       = 3
	typeCommissioning = 4
	typeService       = 5
	typeServer        = 6
)

// NetworkData is the Thread Network Data: what the border routers and servers
// of a partition have registered with its leader.
type NetworkData struct {
	Prefixes      []Prefix
	Services      []Service
	Commissioning CommissioningData
}

// A Prefix is a Prefix TLV (Thread 5.18.2).
type Prefix struct {
	Stable        bool
	DomainID      uint8
	Prefix        netip.Prefix // host bits are zero
	Routes        []HasRoute
	BorderRouters []BorderRouter
	Contexts      []Context
}

// A HasRoute says that a border router routes to the prefix (Thread 5.18.1).
type HasRoute struct {
	Stable     bool
	RLOC16     diag.RLOC16
	Preference int8 // -1 low, 0 medium, 1 high
	NAT64      bool
	AdvPIO     bool // the prefix is advertised on the infrastructure link
}

// A BorderRouter says that a border router offers the prefix on the mesh
// (Thread 5.18.3).
type BorderRouter struct {
	Stable       bool
	RLOC16       diag.RLOC16
	Preference   int8 // -1 low, 0 medium, 1 high
	Preferred    bool // addresses from it are not deprecated
	SLAAC        bool
	DHCP         bool
	Configure    bool // DHCP gives other configuration
	DefaultRoute bool
	OnMesh       bool
	NDDNS        bool
}

// A Context is a 6LoWPAN context id for the prefix (Thread 5.18.4).
type Context struct {
	Stable   bool
	ID       uint8
	Compress bool
	Length   uint8 // bits
}

// A Service is a Service TLV (Thread 5.18.6).
type Service struct {
	Stable     bool
	ID         uint8  // 0..15
	Enterprise uint32 // IANA enterprise number
	Data       []byte // what kind of service it is, by the enterprise's rules
	Servers    []Server
}

// A Server is a Server TLV: a node that offers the service around it.
type Server struct {
	Stable bool
	RLOC16 diag.RLOC16
	Data   []byte
}

// CommissioningData is the Commissioning Dataset in the Network Data (Thread
// 8.4.3). The zero value means that nobody commissions.
type CommissioningData struct {
	Present            bool
	BorderAgentLocator diag.RLOC16 // the border agent that serves the active commissioner
	SessionID          diag.Opt[uint16]
	Steering           bool // steering data admits joiners: somebody is adding a device
}

// ParseNetworkData reads the value of TLV 7. Unknown TLVs are skipped; a TLV
// that does not fit is an error, since what follows can't be trusted.
func ParseNetworkData(b []byte) (NetworkData, error) {
	if len(b) > MaxNetworkData {
		return NetworkData{}, fmt.Errorf("network data: %d octets, more than %d", len(b), MaxNetworkData)
	}
	var d NetworkData
	r := reader{b: b}
	for r.next() {
		switch r.typ {
		case typePrefix:
			p, err := parsePrefix(r.value, r.stable)
			if err != nil {
				return NetworkData{}, fmt.Errorf("network data: prefix at octet %d: %w", r.at, err)
			}
			d.Prefixes = append(d.Prefixes, p)
		case typeService:
			s, err := parseService(r.value, r.stable)
			if err != nil {
				return NetworkData{}, fmt.Errorf("network data: service at octet %d: %w", r.at, err)
			}
			d.Services = append(d.Services, s)
		case typeCommissioning:
			c, err := parseCommissioning(r.value)
			if err != nil {
				return NetworkData{}, fmt.Errorf("network data: commissioning data at octet %d: %w", r.at, err)
			}
			d.Commissioning = c
		}
	}
	if r.err != nil {
		return NetworkData{}, fmt.Errorf("network data: %w", r.err)
	}
	return d, nil
}

// A reader walks TLVs of one octet type and one octet length. Network Data
// TLVs know no extended length: they are at most 254 octets altogether.
type reader struct {
	b      []byte
	off    int
	at     int // where the current TLV starts
	typ    uint8
	stable bool
	value  []byte
	err    error
}

// raw steps to the next TLV without splitting its type octet.
func (r *reader) raw() bool {
	if r.err != nil || r.off == len(r.b) {
		return false
	}
	r.at = r.off
	if len(r.b)-r.off < 2 {
		r.err = fmt.Errorf("octet %d: cut short in a TLV header", r.off)
		return false
	}
	n := int(r.b[r.off+1])
	if len(r.b)-r.off-2 < n {
		r.err = fmt.Errorf("octet %d: TLV of %d octets, only %d are left", r.off, n, len(r.b)-r.off-2)
		return false
	}
	r.typ = r.b[r.off]
	r.value = r.b[r.off+2 : r.off+2+n]
	r.off += 2 + n
	return true
}

// next is raw for Network Data TLVs, whose type octet carries the stable bit.
func (r *reader) next() bool {
	if !r.raw() {
		return false
	}
	r.typ, r.stable = r.typ>>1, r.typ&1 != 0
	return true
}

func parsePrefix(b []byte, stable bool) (Prefix, error) {
	if len(b) < 2 {
		return Prefix{}, fmt.Errorf("%d octets, want at least 2", len(b))
	}
	bits := int(b[1])
	n := (bits + 7) / 8
	if bits > 128 {
		return Prefix{}, fmt.Errorf("prefix length %d, more than 128", bits)
	}
	if len(b) < 2+n {
		return Prefix{}, fmt.Errorf("prefix of %d bits cut short", bits)
	}
	var addr [16]byte
	copy(addr[:], b[2:2+n])
	p := Prefix{Stable: stable, DomainID: b[0], Prefix: netip.PrefixFrom(netip.AddrFrom16(addr), bits).Masked()}
	r := reader{b: b[2+n:]}
	for r.next() {
		v := r.value
		switch r.typ {
		case typeHasRoute:
			if len(v)%3 != 0 {
				return Prefix{}, fmt.Errorf("has-route entries of %d octets, want a multiple of 3", len(v))
			}
			for ; len(v) > 0; v = v[3:] {
				p.Routes = append(p.Routes, HasRoute{
					Stable: r.stable, RLOC16: rloc16(v), Preference: preference(v[2]),
					NAT64: v[2]&0x20 != 0, AdvPIO: v[2]&0x10 != 0,
				})
			}
		case typeBorderRouter:
			if len(v)%4 != 0 {
				return Prefix{}, fmt.Errorf("border router entries of %d octets, want a multiple of 4", len(v))
			}
			for ; len(v) > 0; v = v[4:] {
				f := binary.BigEndian.Uint16(v[2:])
				p.BorderRouters = append(p.BorderRouters, BorderRouter{
					Stable: r.stable, RLOC16: rloc16(v), Preference: preference(v[2]),
					Preferred: f&(1<<13) != 0, SLAAC: f&(1<<12) != 0, DHCP: f&(1<<11) != 0, Configure: f&(1<<10) != 0,
					DefaultRoute: f&(1<<9) != 0, OnMesh: f&(1<<8) != 0, NDDNS: f&(1<<7) != 0,
				})
			}
		case typeContext:
			if len(v) < 2 {
				return Prefix{}, fmt.Errorf("6LoWPAN context of %d octets, want 2", len(v))
			}
			p.Contexts = append(p.Contexts, Context{Stable: r.stable, ID: v[0] & 0x0f, Compress: v[0]&0x10 != 0, Length: v[1]})
		}
	}
	return p, r.err
}

func parseService(b []byte, stable bool) (Service, error) {
	if len(b) < 1 {
		return Service{}, fmt.Errorf("empty")
	}
	s := Service{Stable: stable, ID: b[0] & 0x0f, Enterprise: ThreadEnterprise}
	rest := b[1:]
	if b[0]&0x80 == 0 {
		if len(rest) < 4 {
			return Service{}, fmt.Errorf("enterprise number cut short")
		}
		s.Enterprise, rest = binary.BigEndian.Uint32(rest), rest[4:]
	}
	if len(rest) < 1 || len(rest)-1 < int(rest[0]) {
		return Service{}, fmt.Errorf("service data cut short")
	}
	n := int(rest[0])
	s.Data, rest = clone(rest[1:1+n]), rest[1+n:]
	r := reader{b: rest}
	for r.next() {
		if r.typ != typeServer {
			continue
		}
		if len(r.value) < 2 {
			return Service{}, fmt.Errorf("server of %d octets, want at least 2", len(r.value))
		}
		s.Servers = append(s.Servers, Server{Stable: r.stable, RLOC16: rloc16(r.value), Data: clone(r.value[2:])})
	}
	return s, r.err
}

// MeshCoP TLV types inside the commissioning data (Thread 8.10.1).
const (
	meshcopSteering           = 8
	meshcopBorderAgentLocator = 9
	meshcopSessionID          = 11
)

func parseCommissioning(b []byte) (CommissioningData, error) {
	c := CommissioningData{Present: true}
	r := reader{b: b}
	for r.raw() {
		switch r.typ {
		case meshcopBorderAgentLocator:
			if len(r.value) != 2 {
				return CommissioningData{}, fmt.Errorf("border agent locator of %d octets, want 2", len(r.value))
			}
			c.BorderAgentLocator = rloc16(r.value)
		case meshcopSessionID:
			if len(r.value) != 2 {
				return CommissioningData{}, fmt.Errorf("session id of %d octets, want 2", len(r.value))
			}
			c.SessionID = diag.Some(binary.BigEndian.Uint16(r.value))
		case meshcopSteering:
			// A Bloom filter of who may join; all zero admits nobody.
			c.Steering = slices.ContainsFunc(r.value, func(o byte) bool { return o != 0 })
		}
	}
	return c, r.err
}

// rloc16 reads the first two octets of b, which the caller has checked.
func rloc16(b []byte) diag.RLOC16 { return diag.MakeRLOC16(binary.BigEndian.Uint16(b)) }

// preference reads the two upper bits (RFC 4191 2.1): 01 high, 11 low. 10 is
// reserved and means medium.
func preference(b byte) int8 {
	switch b >> 6 {
	case 1:
		return 1
	case 3:
		return -1
	}
	return 0
}

// clone keeps the parsed value independent of the input, and says nil for
// nothing.
func clone(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}
