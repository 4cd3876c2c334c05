package world

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/simulators/matternode"
	"threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
)

// MatterOptions are the knobs of the home's Matter devices.
type MatterOptions struct {
	// Fabric is the one that they are on, with its authority as administrator;
	// nil: the world makes one.
	Fabric *fabric.Authority
	// Unpaired: they are on none, but wait to be paired.
	Unpaired bool
	// Place, where not nil, changes where one is announced to be, as hosts with
	// addresses on which nobody listens, or one name for many devices, do.
	Place func(n MatterNode, at matternode.Place) matternode.Place
	// Node, where not nil, sets the knobs of one.
	Node func(m *mesh.Mesh, n *mesh.Node) matternode.Options
}

// A MatterNode is one Matter device.
type MatterNode struct {
	Addr    netip.AddrPort // UDP
	Network string
	Node    diag.ExtAddr
	Name    string
	ID      uint64 // its node id in World.Fabric, if it is on it
	Server  *matternode.Node
}

// MatterNodes are the Matter devices of the home, in the order of networks and
// nodes; none without Options.Matter.
func (w *World) MatterNodes() []MatterNode { return append([]MatterNode(nil), w.matter...) }

// Fabric is the one on which they are, or to which they can be brought; nil
// without Options.Matter.
func (w *World) Fabric() *fabric.Authority { return w.fabric }

// sleepyParameters are what battery devices say of themselves.
var sleepyParameters = message.SessionParameters{Idle: 5 * time.Second, Active: 300 * time.Millisecond, ActiveThreshold: 4 * time.Second}

// startMatter prepares for the Matter devices.
func (w *World) startMatter(o *MatterOptions) (err error) {
	w.place = o.Place
	if w.fabric = o.Fabric; w.fabric == nil {
		w.fabric, err = fabric.New(fabric.Config{})
	}
	return err
}

// matterNodes starts the Matter devices of one network. A silent one is there
// and says nothing.
func (w *World) matterNodes(m *mesh.Mesh, v *mesh.View, o Options) error {
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if len(n.Matter) == 0 {
			continue
		}
		knobs := matternode.Options{}
		if o.Matter.Node != nil {
			knobs = o.Matter.Node(m, n)
		}
		knobs.Changed = w.announceAgain
		if n.Sleepy() && knobs.Sleep == nil {
			knobs.Parameters = knobs.Parameters.Or(sleepyParameters)
		}
		id := n.Matter[0].Node
		if !o.Matter.Unpaired {
			member, err := w.fabric.NewNode(id)
			if err != nil {
				return fmt.Errorf("simulated Matter node %q: %w", n.Name, err)
			}
			knobs.Fabrics = append(knobs.Fabrics, matternode.Fabric{
				Member: member, Admins: []uint64{w.fabric.Member().NodeID}, VendorID: fabric.VendorID, Label: "threadmap",
			})
		}
		conn, err := listenMatter(o.Address)
		if err != nil {
			return fmt.Errorf("simulated Matter node %q: %w", n.Name, err)
		}
		s, err := matternode.New(conn, matternode.FromMesh(v, i), knobs)
		if err != nil {
			return err
		}
		s.GoSilent(!v.Answers(i))
		w.matter = append(w.matter, MatterNode{Addr: s.Addr(), Network: m.Name, Node: n.ExtAddr, Name: n.Name, ID: id, Server: s})
	}
	return nil
}

// listenMatter opens a device's socket on this machine: on IPv6, which is all
// that Thread devices have, where the machine has it.
func listenMatter(otherwise string) (net.PacketConn, error) {
	if conn, err := net.ListenPacket("udp6", "[::1]:0"); err == nil {
		return conn, nil
	}
	return net.ListenPacket("udp", net.JoinHostPort(otherwise, "0"))
}

// matterAt is where a device listens, for all that it announces; invalid where
// nobody does.
func (w *World) matterAt(n *mesh.Node) netip.AddrPort {
	for _, d := range w.matter {
		if d.Node == n.ExtAddr {
			return d.Addr
		}
	}
	return netip.AddrPort{}
}

// announced is everything that is announced now.
func (w *World) announced() []mdns.Service {
	out := append([]mdns.Service(nil), w.services...)
	for _, d := range w.matter {
		at := matternode.Place{Port: d.Addr.Port(), Addrs: []netip.Addr{d.Addr.Addr()}}
		if w.place != nil {
			at = w.place(d, at)
		}
		out = append(out, d.Server.Services(at)...)
	}
	return out
}

// announceAgain follows the devices: one waits to be paired, or came to a
// fabric.
func (w *World) announceAgain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mdns != nil {
		w.mdns.Set(w.announced())
	}
}

func (w *World) closeMatter() {
	for _, d := range w.matter {
		if err := d.Server.Close(); err != nil {
			w.mu.Lock()
			w.errs = append(w.errs, err)
			w.mu.Unlock()
		}
	}
}
