package matternode

import (
	"slices"

	"threadmap/diag/matter/im"
)

// Clusters (Matter 1.6).
const (
	identify                     uint32 = 0x0003
	onOff                        uint32 = 0x0006
	descriptor                   uint32 = 0x001D
	accessControl                uint32 = 0x001F
	basicInformation             uint32 = 0x0028
	powerSource                  uint32 = 0x002F
	generalCommissioning         uint32 = 0x0030
	networkCommissioning         uint32 = 0x0031
	generalDiagnostics           uint32 = 0x0033
	threadNetworkDiagnostics     uint32 = 0x0035
	switchCluster                uint32 = 0x003B
	administratorCommissioning   uint32 = 0x003C
	operationalCredentials       uint32 = 0x003E
	groupKeyManagement           uint32 = 0x003F
	booleanState                 uint32 = 0x0045
	icdManagement                uint32 = 0x0046
	threadBorderRouterManagement uint32 = 0x0452
)

// Global attributes.
const (
	generatedCommandList uint32 = 0xFFF8
	acceptedCommandList  uint32 = 0xFFF9
	attributeList        uint32 = 0xFFFB
	featureMap           uint32 = 0xFFFC
	clusterRevision      uint32 = 0xFFFD
)

// What the nodes keep to.
const (
	dataModelRevision    = 21
	specificationVersion = 0x01060000
)

// A server is one cluster that endpoints can have. Its functions are called
// with the lock held.
type server struct {
	id         uint32
	revision   func(*Node) uint16
	features   func(*Node) uint32 // nil: none
	attributes func(*Node, *asker, *table)
	commands   []command
}

// An asker is a party that asks for something.
type asker struct {
	*party
	privilege privilege
	// filtered: of lists that belong to fabrics it wants those of its own.
	filtered bool
	at       *endpoint // where the cluster is that is asked
}

// sees reports whether the asker is shown an entry of a fabric at all.
func (a *asker) sees(fabric uint8) bool { return !a.filtered || fabric == a.fabric }

func revision(v uint16) func(*Node) uint16 { return func(*Node) uint16 { return v } }
func features(v uint32) func(*Node) uint32 { return func(*Node) uint32 { return v } }
func (s *server) featureMap(n *Node) uint32 {
	if s.features == nil {
		return 0
	}
	return s.features(n)
}

// An endpoint is what of a node does one thing.
type endpoint struct {
	number  uint16
	types   []deviceType
	servers []*server // by id
}

type deviceType struct {
	id       uint32
	revision uint16
}

func (e *endpoint) server(id uint32) *server {
	if i := slices.IndexFunc(e.servers, func(s *server) bool { return s.id == id }); i >= 0 {
		return e.servers[i]
	}
	return nil
}

// layout is the endpoints of a node, by number.
func (n *Node) layout() []endpoint {
	d := &n.device
	root := endpoint{number: 0, types: []deviceType{{0x0016, 4}}, servers: []*server{
		&descriptorServer, &accessControlServer, &basicInformationServer, &generalCommissioningServer, &networkCommissioningServer,
		&generalDiagnosticsServer, &administratorCommissioningServer, &operationalCredentialsServer, &groupKeyManagementServer,
	}}
	if d.hasThread() {
		root.servers = append(root.servers, &threadNetworkDiagnosticsServer)
	}
	if d.ICD != nil && !n.o.Quirks.PlainICD {
		root.servers = append(root.servers, &icdManagementServer)
	}
	one := endpoint{number: 1, types: []deviceType{{d.Type, 3}}, servers: []*server{&identifyServer, &descriptorServer}}
	switch d.Type {
	case OnOffPlug:
		one.servers = append(one.servers, &onOffServer)
	case ContactSensor:
		one.servers = append(one.servers, &booleanStateServer)
	case GenericSwitch:
		one.servers = append(one.servers, &switchServer)
	case ThreadBorderRouter:
		one.servers = append(one.servers, &threadBorderRouterManagementServer)
	}
	if d.Battery > 0 {
		one.types = append(one.types, deviceType{0x0011, 1})
		one.servers = append(one.servers, &powerSourceServer)
	}
	all := []endpoint{root, one}
	for _, e := range all {
		slices.SortFunc(e.servers, func(a, b *server) int { return int(a.id) - int(b.id) })
	}
	return all
}

// endpoint is the one with a number; nil: there is none.
func (n *Node) endpoint(number uint16) *endpoint {
	for i := range n.endpoints {
		if n.endpoints[i].number == number {
			return &n.endpoints[i]
		}
	}
	return nil
}

// values are the attributes of a cluster on an endpoint, global ones included,
// by id. Values are there of those that are wanted.
func (n *Node) values(at *endpoint, s *server, a *asker, want func(id uint32) bool) []value {
	t := &table{want: want}
	a.at = at
	s.attributes(n, a, t)
	t.numbers(generatedCommandList, fixed, s.generates())
	t.numbers(acceptedCommandList, fixed, s.accepts())
	ids := make([]uint32, 0, len(t.values)+3)
	for _, v := range t.values {
		ids = append(ids, v.id)
	}
	t.numbers(attributeList, fixed, append(ids, attributeList, featureMap, clusterRevision))
	t.uint(featureMap, fixed, uint64(s.featureMap(n)))
	t.uint(clusterRevision, fixed, uint64(s.revision(n)))
	return t.values
}

func all(uint32) bool { return true }

// A clusterPath is a cluster on an endpoint.
type clusterPath struct {
	endpoint uint16
	cluster  uint32
}

// version is the data version of a cluster. The lock is held.
func (n *Node) version(p clusterPath) uint32 {
	v, ok := n.versions[p]
	if !ok {
		v = n.rand.Uint32()
		n.versions[p] = v
	}
	return v
}

// changed notes that attributes have changed: clusters get a new data version,
// and subscribers are told. The lock is held.
func (n *Node) changed(paths ...im.Path) {
	for _, p := range paths {
		c := clusterPath{p.Endpoint, p.Cluster}
		n.versions[c] = n.version(c) + 1
		for _, s := range n.subs {
			s.note(p)
		}
	}
}
