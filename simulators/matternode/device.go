package matternode

import (
	"encoding/binary"
	"net/netip"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// Device types of the endpoint that does a device's work (Matter Device
// Library).
const (
	OnOffPlug          uint32 = 0x010A
	GenericSwitch      uint32 = 0x000F
	ContactSensor      uint32 = 0x0015
	ThreadBorderRouter uint32 = 0x0091
)

// A Device is what a node is, apart from who may talk to it.
type Device struct {
	Name                    string // its NodeLabel, which users can change
	Vendor, Model, Firmware string
	VendorID, ProductID     uint16 // default 0xFFF1, 0x8000: a vendor for tests
	Type                    uint32 // of endpoint 1, default OnOffPlug
	Battery                 uint8  // percent; 0: mains

	// Thread is its radio; the zero value: it has none.
	Thread Thread
	// MAC and Addresses are of its Wi-Fi or Ethernet; a zero MAC: it has none.
	MAC       [6]byte
	Ethernet  bool
	Addresses []netip.Addr

	// ICD is set where it has the cluster ICD Management.
	ICD *ICD
	// RebootCount counts the starts before this one.
	RebootCount uint16
	// UpTime is how long it had been running when the simulation began.
	UpTime time.Duration
}

// A Thread is the radio of a device: one node of a mesh.
type Thread struct {
	View *mesh.View // nil: none
	Node diag.ExtAddr
	// BorderAgentID and Name are set for a border router that shows them in
	// Thread Border Router Management: 16 octets, and its instance name.
	BorderAgentID []byte
	Name          string
	Version       uint16
}

// An ICD is how an intermittently connected device sleeps, as it tells it.
type ICD struct {
	Idle      time.Duration // IdleModeDuration, whole seconds
	Active    time.Duration // ActiveModeDuration
	Threshold time.Duration // ActiveModeThreshold
	// LIT: it can be idle for long, and is as soon as a client is registered.
	LIT bool
	// Hint and Instruction tell how a user wakes it, with LIT.
	Hint        uint32
	Instruction string
}

// FromMesh is a Matter device whose radio is node i of a mesh.
func FromMesh(v *mesh.View, i int) Device {
	n := v.Node(i)
	d := Device{
		Name: n.Name, Vendor: n.Vendor, Model: n.Model, Firmware: n.Firmware, Type: OnOffPlug, Battery: n.Battery,
		Thread:      Thread{View: v, Node: n.ExtAddr, Version: n.ThreadVersion},
		RebootCount: 3, UpTime: 24 * time.Hour,
	}
	if n.Sleepy() {
		d.Type = ContactSensor
		d.ICD = &ICD{Idle: 5 * time.Minute, Active: time.Second, Threshold: 4 * time.Second}
	}
	if n.BorderRouter {
		d.Type = ThreadBorderRouter
		d.Thread.Name = n.Name
		d.Thread.BorderAgentID = parseHex(n.BorderAgentID)
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n.ExtAddr))
		copy(d.MAC[:], b[2:])
		d.MAC[0] = d.MAC[0]&^1 | 2 // of its own making, for one station
		d.Ethernet = true
	}
	return d
}

// threadNode is the device's node in the mesh; nil where it has no radio or
// its node is gone.
func (d *Device) threadNode() (v *mesh.View, i int) {
	if d.Thread.View == nil {
		return nil, -1
	}
	if i = d.Thread.View.Find(d.Thread.Node); i < 0 {
		return nil, -1
	}
	return d.Thread.View, i
}

func (d *Device) hasThread() bool { return d.Thread.View != nil }
func (d *Device) hasLAN() bool    { return d.MAC != [6]byte{} }

func (d *Device) withDefaults() {
	if d.VendorID == 0 {
		d.VendorID = 0xFFF1
	}
	if d.ProductID == 0 {
		d.ProductID = 0x8000
	}
	if d.Type == 0 {
		d.Type = OnOffPlug
	}
}
