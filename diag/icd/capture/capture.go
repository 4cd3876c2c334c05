package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"threadmap/diag/icd"
)

// Options say what to look for.
type Options struct {
	// Node is the device: its extended address, one of its operational instance
	// names, or one of its addresses. Empty: the one that was seen to restart,
	// if there is one only; see [Result.Devices].
	Node string
	// Addresses are known to be the device's, whatever the file announces.
	Addresses []netip.Addr
	// Fabrics are our own: they tell whom a Sigma1 is meant for where the names
	// in the file do not.
	Fabrics []Fabric
}

// A Fabric is one whose identity protection key we have.
// *threadmap/diag/matter/fabric.Member is one.
type Fabric interface {
	CompressedID() uint64
	// DestinationID is what Sigma1 says instead of the responder's name (Core
	// 4.14.2.4.1).
	DestinationID(initiatorRandom []byte, node uint64) [32]byte
}

// A Result is what a capture tells.
type Result struct {
	Format     string    // "pcap" or "pcapng"
	Start, End time.Time // of the packets
	// Node is the device that the observations are about, by its extended
	// address where that is known; "" where none was chosen.
	Node icd.NodeName
	// Devices are the Thread devices of the file, those that were seen to
	// restart first.
	Devices []Device
	Counts  Counts

	seen []sighting
}

// A Device is one that is announced with its extended address for a host name.
type Device struct {
	Node      icd.NodeName
	Instances []string // "<compressed fabric id>-<node id>"
	Addresses []netip.Addr
	Restarts  []time.Time // its names were withdrawn and announced again shortly after
}

// Counts are the numbers of one file.
type Counts struct {
	Packets   int
	Octets    int64 // of the packets
	Fragments int   // of IP; they are not put together
	Malformed int
	Skipped   int // of links that are not read, or of interfaces that are not described
	Duplicate int // captured twice, as on a bridge
	MDNS      int // messages
	Matter    int // messages of session 0
	Secured   int // what looks like messages of Matter sessions
	Dropped   int // observations beyond what is kept
}

// A sighting is an observation with its own time.
type sighting struct {
	at int64
	o  icd.Observation
}

// Tell hands the observations over, in order of time.
func (r *Result) Tell(observe icd.Observe) {
	for _, s := range r.seen {
		observe(time.Unix(0, s.at), s.o)
	}
}

// Timeline is what was seen, counted from the first packet of the file; nil
// where no device was chosen.
func (r *Result) Timeline() *icd.Timeline {
	if r.Node == "" {
		return nil
	}
	t := icd.NewTimeline(r.Node, r.Start)
	for _, s := range r.seen {
		s.o.At = max(0, icd.Seconds(s.at-r.Start.UnixNano()))
		t.Add(s.o)
	}
	return t
}

// Len is the number of observations.
func (r *Result) Len() int { return len(r.seen) }

// Read reads a capture to its end. On an error of one line the result has what
// stood before; it is nil where the file is no capture of a LAN at all. A device
// that is not in the file is an error as well.
func Read(r io.Reader, o Options) (*Result, error) {
	src, err := open(r)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	h := newHome(o)
	var p packet
	var unreadable error
	for {
		if err = src.next(&p); err != nil {
			break
		}
		if why := readable(p.link); why != nil {
			h.counts.Skipped++
			if unreadable == nil {
				unreadable = why
			}
			if _, one := src.(*pcap); one {
				return nil, fmt.Errorf("capture: %w", why)
			}
			continue
		}
		h.take(&p)
	}
	if ng, ok := src.(*pcapng); ok {
		h.counts.Skipped += ng.lost
	}
	if h.counts.Packets == 0 && unreadable != nil {
		return nil, fmt.Errorf("capture: %w", unreadable)
	}
	out := h.result(src.format())
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return out, fmt.Errorf("capture: the file ends in the middle of a packet; the %d packets before it were read", h.counts.Packets)
	case !errors.Is(err, io.EOF):
		return out, fmt.Errorf("capture: %w; the %d packets before were read", err, h.counts.Packets)
	case o.Node != "" && out.Node == "":
		return out, fmt.Errorf("capture: nothing in it is about %q: %s", clip(o.Node, 64), out.known())
	}
	return out, nil
}

// known lists what there is instead of a device that is not there.
func (r *Result) known() string {
	if len(r.Devices) == 0 {
		return "no Thread device is announced in it; capture mDNS (UDP port 5353) as well, or give the device's addresses"
	}
	var names []string
	for _, d := range r.Devices[:min(len(r.Devices), 8)] {
		names = append(names, string(d.Node))
	}
	return "it has " + strings.Join(names, ", ")
}

func errLink(link uint16) error {
	return fmt.Errorf("link type %d is not read: capture on Ethernet, or on Linux' interface \"any\"", link)
}

// clip makes foreign text fit for a line.
func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func (s sighting) compare(t sighting) int { return cmp.Compare(s.at, t.at) }

func sortSightings(s []sighting) { slices.SortStableFunc(s, sighting.compare) }
