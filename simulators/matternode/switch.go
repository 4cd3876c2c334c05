package matternode

import (
	"time"

	"threadmap/tlv"
)

// Features and events of Switch (Matter Application Clusters 1.13).
const (
	momentarySwitch        = 1 << 1
	momentarySwitchRelease = 1 << 2

	initialPress uint32 = 1
	shortRelease uint32 = 3
)

// switchServer is a button: pressed it is in position 1.
var switchServer = server{id: switchCluster, revision: revision(2), features: features(momentarySwitch | momentarySwitchRelease), attributes: func(n *Node, _ *asker, t *table) {
	t.uint(0, fixed, 2)
	t.uint(1, changes, uint64(n.position))
}}

// pressFor is how long a button is pressed.
const pressFor = 100 * time.Millisecond

// Press is a user who presses the button of a GenericSwitch and lets it go: the
// node wakes, and there are events InitialPress and ShortRelease. It is false
// where there is no button, or the node is off.
func (n *Node) Press() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.off || n.closed || n.device.Type != GenericSwitch {
		return false
	}
	n.touched()
	n.turnTo(1)
	life := n.life
	n.running.Go(func() { n.during(life, pressFor, func() { n.turnTo(0) }) })
	return true
}

// turnTo changes the position of a switch. The lock is held.
func (n *Node) turnTo(position uint8) {
	if n.position == position {
		return
	}
	before := n.position
	n.position = position
	n.changed(pathOf(1, switchCluster, 1))
	if position != 0 {
		n.happened(1, switchCluster, initialPress, info, func(_ *Node, e *tlv.Encoder) { putUint(e, 0, uint64(position)) })
	} else {
		n.happened(1, switchCluster, shortRelease, info, func(_ *Node, e *tlv.Encoder) { putUint(e, 0, uint64(before)) })
	}
}
