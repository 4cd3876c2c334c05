package icd

import "fmt"

// A Link is one of the ten that must hold for a device to be back.
type Link uint8

// The links, in order. The zero Link is none.
const (
	L1 Link = iota + 1
	L2
	L3
	L4
	L5
	L6
	L7
	L8
	L9
	L10
)

const lastLink = L10

var linkWords = [lastLink + 1]struct{ title, about string }{
	L1:  {"The device is up", "It has power and its firmware runs: it was seen to start, or to do anything since."},
	L2:  {"It has a parent", "A sleepy device talks to one router only, its parent. Without a parent it is cut off."},
	L3:  {"Its address works", "It has an IPv6 address in a prefix that is in use, and there is a route to it from here."},
	L4:  {"It is registered", "It tells its name and address to the border router (SRP), which speaks for it while it sleeps."},
	L5:  {"It is announced", "The border router announces the device on the home's network (mDNS), with all that a controller needs."},
	L6:  {"It finds its controller", "To report, the device first looks up the controller by name, and needs an answer."},
	L7:  {"It opens a session", "The device and the controller prove to each other who they are (CASE) and agree on keys."},
	L8:  {"Its report is accepted", "The device goes on with the subscription it had, and the controller still knows that one."},
	L9:  {"The controller looks after it", "Where the device does not come by itself, the controller notices the silence and subscribes anew."},
	L10: {"Presses arrive", "Not only values but also events, such as a press of a button, reach the controller."},
}

// String is "L1" to "L10".
func (l Link) String() string {
	if l == 0 || l > lastLink {
		return ""
	}
	return fmt.Sprintf("L%d", uint8(l))
}

// Title is the link in a few plain words.
func (l Link) Title() string { return linkWords[min(l, lastLink)].title }

// About explains the link in one line to somebody who never heard of it.
func (l Link) About() string { return linkWords[min(l, lastLink)].about }

// MarshalJSON writes the name, null for none.
func (l Link) MarshalJSON() ([]byte, error) {
	if l.String() == "" {
		return []byte("null"), nil
	}
	return []byte(`"` + l.String() + `"`), nil
}

// A State says what is known of a link.
type State string

// The states.
const (
	Unknown State = "unknown"
	Seen    State = "seen"   // somebody saw it hold
	Broken  State = "broken" // somebody saw it not hold
)

// A Party is who is responsible.
type Party string

// The parties.
const (
	Nobody         Party = "nobody"
	UnknownParty   Party = "unknown"
	DeviceFirmware Party = "device-firmware"
	DevicePower    Party = "device-power"
	Mesh           Party = "mesh"
	BorderRouter   Party = "border-router"
	LANHost        Party = "lan-host"
	Controller     Party = "controller"
	ControllerHost Party = "controller-host"
)

var partyTitles = map[Party]string{
	Nobody: "nobody", UnknownParty: "not known", DeviceFirmware: "the device's firmware", DevicePower: "the device's power", Mesh: "the Thread mesh",
	BorderRouter: "the border router", LANHost: "this machine", Controller: "the controller", ControllerHost: "the controller's computer",
}

// Title is the party in plain words.
func (p Party) Title() string { return partyTitles[p] }

// A Confidence says how sure it is that a cause is the one.
type Confidence uint8

// The confidences. High: what was observed excludes the others. Medium: there
// is a sign of it, and nothing against it. Low: it is possible.
const (
	Low Confidence = iota + 1
	Medium
	High
)

// String is the word of the JSON document.
func (c Confidence) String() string { return [...]string{"", "low", "medium", "high"}[min(c, High)] }

// MarshalText writes the word.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
