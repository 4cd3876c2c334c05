package tmf

import (
	"slices"
	"time"

	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/netdiag"
)

// A subject is what a question is about.
type subject uint8

const (
	who        subject = iota // identity, by request (d/dg)
	leader                    // the leader, for its network data
	children                  // TLV 29, by query (d/dq)
	addresses                 // TLV 30, by query
	neighbors                 // TLV 31, by query
	childTable                // TLV 16, by request, where 29 does not arrive
)

var (
	// identity is what every full Thread device is asked: who it is and what it
	// reaches. Its child table is short and always arrives, and it alone tells
	// how well children are heard; the lists that say more may not arrive.
	identity = []uint8{
		netdiag.TypeExtAddress, netdiag.TypeAddress16, netdiag.TypeMode, netdiag.TypeConnectivity, netdiag.TypeRoute64, netdiag.TypeLeaderData,
		netdiag.TypeIPv6Addresses, netdiag.TypeChildTable, netdiag.TypeVersion, netdiag.TypeVendorName, netdiag.TypeVendorModel,
		netdiag.TypeVendorSWVersion, netdiag.TypeThreadStackVersion,
	}
	// ofBorder is what the border agent's own node is asked.
	ofBorder = append([]uint8{netdiag.TypeNetworkData, netdiag.TypeBRState}, identity...)
	// ofChild is what a child is asked.
	ofChild = []uint8{
		netdiag.TypeExtAddress, netdiag.TypeAddress16, netdiag.TypeMode, netdiag.TypeTimeout, netdiag.TypeIPv6Addresses, netdiag.TypeBatteryLevel,
		netdiag.TypeSupplyVoltage, netdiag.TypeVersion, netdiag.TypeVendorName, netdiag.TypeVendorModel, netdiag.TypeVendorSWVersion,
		netdiag.TypeThreadStackVersion,
	}
)

// A question is one that is, was or will be asked of one node. The multicast is
// one question to each node that answers it.
type question struct {
	about subject
	node  *node  // nil: of the leader
	to    uint16 // RLOC16 or ALOC16
	again bool   // the second time, for less
	quiet bool   // silence is no fault: a child, which others tell of

	attempt int // how often it was asked before

	id     coap.ID          // of the request while it is on its way
	query  uint16           // Query ID
	acked  bool             // the node has it
	until  time.Time        // the answer is waited for until then
	answer netdiag.Assembly // of a query
	done   bool
}

// types are what the question asks for.
func (q *question) types(isBorder bool) []uint8 {
	me := []uint8{netdiag.TypeExtAddress, netdiag.TypeAddress16}
	switch q.about {
	case leader:
		return append(me, netdiag.TypeRoute64, netdiag.TypeLeaderData, netdiag.TypeNetworkData)
	case childTable:
		return append(me, netdiag.TypeChildTable)
	case children, addresses:
		if q.again {
			return []uint8{q.list()}
		}
		return append(me, q.list())
	case neighbors:
		if q.again || q.expects() > roomy {
			return []uint8{q.list()}
		}
		return append(me, netdiag.TypeEnhancedRoute, netdiag.TypeMLECounters, q.list())
	}
	switch {
	case q.node.rloc().IsChild():
		return ofChild
	case q.again:
		return append(me, netdiag.TypeMode, netdiag.TypeRoute64, netdiag.TypeLeaderData, netdiag.TypeChildTable)
	case isBorder:
		return ofBorder
	}
	return identity
}

// list is the type of the list that a query asks for; 0: it is a request.
func (q *question) list() uint8 {
	switch q.about {
	case children:
		return netdiag.TypeChild
	case addresses:
		return netdiag.TypeChildIPv6Addresses
	case neighbors:
		return netdiag.TypeRouterNeighbor
	}
	return 0
}

const (
	// roomy is the size of an answer from which on only the list is asked for.
	roomy = 500
	// large is the least size of an answer whose not coming may be the fault of a
	// border agent that can't put it into one record: OpenThread's smallest is
	// 768 octets, of which the proxy takes some 40.
	large = 640
	// closing is the size at which a node closes a message and begins another.
	closing = 800
)

// expects is how many octets of CoAP the largest message of the answer to a
// query is likely to have; 0: not known.
func (q *question) expects() int {
	n := q.node
	if n == nil {
		return 0
	}
	const around = 12 + 4 + 4 + 2 // head and path, Query ID, Answer, end of the list
	rows := 0
	switch q.about {
	case children:
		rows = 45 * len(n.table)
	case addresses:
		for _, c := range n.table {
			if !c.Mode.FullThreadDevice {
				rows += 4 + 3*16
			}
		}
	case neighbors:
		rows = 26 * n.links
	}
	return min(rows+around, closing+around)
}

const (
	// usual is how often a question is asked: silence twice is an answer. Where
	// everything else hangs on it, once more.
	usual, vital = 2, 3
	// stubborn is how often where the way to the mesh loses messages, maxExtra
	// how many more questions a survey asks for that. Loss of 30 % in each
	// direction takes one question in twenty, with all its repetitions, so three
	// of a thousand are lost twice.
	stubborn, maxExtra = 4, 6
	// losses is how many messages must have got lost for sure before that.
	losses = 2
)

// patience is how often a question is asked at most.
func (v *survey) patience(q *question) int {
	most := usual
	if q.about == leader || q.about == who && q.node.rloc() == v.border {
		most = vital
	}
	t := v.s.Traffic()
	switch {
	case t.Duplicates+t.Rescued < losses, v.extra == maxExtra, q.attempt < most:
		return most
	case q.node != nil && q.expects() >= large: // rather the border agent's fault
		return most
	}
	v.extra++
	return stubborn
}

// enqueue puts a question behind the others that wait.
func (v *survey) enqueue(q *question) {
	if v.asked >= maxQuestions {
		return
	}
	v.asked++
	v.queue = append(v.queue, q)
}

// forget takes the questions to a node out of the queue.
func (v *survey) forget(n *node) {
	v.queue = slices.DeleteFunc(v.queue, func(q *question) bool { return q.node == n })
}
