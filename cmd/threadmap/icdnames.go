package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"threadmap/diag/icd"
)

// icdNames put what is told of a device into words for people: whose a name is
// instead of its digits, and errors of sessions without what only their authors
// read. The zero value knows nobody.
type icdNames struct {
	own     uint64            // threadmap's fabric, 0: none
	self    uint64            // threadmap's node id there
	fabrics map[uint64]string // names of fabrics
	device  map[uint64]uint64 // the device's node id on a fabric
}

// icdNamesOf are those that are known of a device.
func icdNamesOf(h *icdHome, d *sleeper) *icdNames {
	n := &icdNames{fabrics: map[uint64]string{}, device: map[uint64]uint64{}}
	for _, f := range d.Fabrics {
		id, ok := hex16(text(f.Fabric))
		if !ok || id == 0 {
			continue
		}
		if f.Name != nil {
			n.fabrics[id] = clip(*f.Name, 40)
		}
		if node, ok := hex16(f.Node); ok {
			n.device[id] = node
		}
	}
	if n.own = h.ownFabric(); n.own != 0 {
		n.self = h.fabric.authority.Member().NodeID
	}
	return n
}

// learn takes the device's own names from a timeline, which has its host.
func (n *icdNames) learn(t *icd.Timeline) *icdNames {
	if n.device == nil {
		n.device = map[uint64]uint64{}
	}
	for o := range t.All() {
		w, ok := o.What.(*icd.Announce)
		if !ok || len(n.device) >= maxFabricsOfDevice {
			continue
		}
		host, _, _ := strings.Cut(w.Host, ".")
		if m := instanceName.FindStringSubmatch(w.Instance); m != nil && t.Node != "" && strings.EqualFold(host, string(t.Node)) {
			fabric, _ := hex16(m[1])
			n.device[fabric], _ = hex16(m[2])
		}
	}
	return n
}

// maxFabricsOfDevice bounds what a file may claim.
const maxFabricsOfDevice = 64

var (
	instanceName = regexp.MustCompile(`\b([0-9A-Fa-f]{16})-([0-9A-Fa-f]{16})\b(?:\._matter\._tcp)?(?:\.local\b\.?)?`)
	fabricID     = regexp.MustCompile(`\b[0-9A-Fa-f]{16}\b`)
	began        = regexp.MustCompile(`a handshake that \S+ began: `)
	unheard      = regexp.MustCompile(`\S+ did not acknowledge opcode 0x([0-9a-f]{2}) of protocol 0x0000\b`)
	unheardCut   = regexp.MustCompile(`\[[0-9a-fA-F:.%]+\]:\d+ did not …`)
	lastDigits   = regexp.MustCompile(`(\d+\.\d)\d+s\)`)
)

// handshakeWords are the messages of sessions that may not be acknowledged.
var handshakeWords = map[string]string{"30": "the first message", "31": "the second message", "32": "the third message", "33": "the answer that resumes the session", "40": "the last message"}

// say puts a line into words.
func (n *icdNames) say(s string) string {
	s = instanceName.ReplaceAllStringFunc(s, func(name string) string {
		m := instanceName.FindStringSubmatch(name)
		fabric, _ := hex16(m[1])
		node, _ := hex16(m[2])
		whose := n.fabrics[fabric]
		if whose == "" {
			whose = fmt.Sprintf("another fabric (%s…)", strings.ToUpper(m[1][:4]))
		}
		if id, ok := n.device[fabric]; ok && id == node {
			if fabric == n.own && n.own != 0 {
				whose = "threadmap"
			}
			return "its name for " + whose
		}
		switch {
		case fabric == n.own && n.own != 0 && node == n.self:
			return "threadmap"
		case fabric == n.own && n.own != 0:
			whose = "threadmap's fabric"
		}
		return fmt.Sprintf("node %s… of %s", strings.ToUpper(m[2][:4]), whose)
	})
	s = fabricID.ReplaceAllStringFunc(s, func(id string) string {
		fabric, _ := hex16(id)
		_, its := n.device[fabric]
		switch name := n.fabrics[fabric]; {
		case fabric == n.own && n.own != 0:
			return "threadmap"
		case name != "":
			return name
		case its:
			return fmt.Sprintf("the controller of another fabric (%s…)", strings.ToUpper(id[:4]))
		}
		return id
	})
	s = sayPaths(began.ReplaceAllString(s, ""))
	s = unheard.ReplaceAllStringFunc(s, func(e string) string {
		what := handshakeWords[unheard.FindStringSubmatch(e)[1]]
		if what == "" {
			what = "a message"
		}
		return what + " got through to nobody"
	})
	s = unheardCut.ReplaceAllString(s, "a message got through to nobody")
	return lastDigits.ReplaceAllString(s, "${1} s)")
}

// Times of a verdict's reasons, which count from the start.
var (
	timeOfLine = regexp.MustCompile(`(^|[ (])(\d+(?:\.\d+)?) s (mdns|ra|tmf|icmp|canary|ha|controller|user|capture|host) `)
	timeOf     = regexp.MustCompile(`\b(at|until) (\d+\.\d) s\b`)
	timesOf    = regexp.MustCompile(`\bbetween (\d+\.\d) s and (\d+\.\d) s\b`)
)

// clocked makes clock times of those.
func clocked(s string, when func(icd.Seconds) string) string {
	at := func(digits string) string {
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || n > 1e8 {
			return digits + " s"
		}
		return when(icd.Sec(n))
	}
	s = timeOfLine.ReplaceAllStringFunc(s, func(x string) string {
		m := timeOfLine.FindStringSubmatch(x)
		return m[1] + at(m[2]) + " " + m[3] + " "
	})
	s = timesOf.ReplaceAllStringFunc(s, func(x string) string {
		m := timesOf.FindStringSubmatch(x)
		return "between " + at(m[1]) + " and " + at(m[2])
	})
	return timeOf.ReplaceAllStringFunc(s, func(x string) string {
		m := timeOf.FindStringSubmatch(x)
		return m[1] + " " + at(m[2])
	})
}

// clockIn makes clock times of seconds of a timeline.
func clockIn(t *icd.Timeline) func(icd.Seconds) string {
	return func(s icd.Seconds) string { return clockOrDay(t.Start.Add(time.Duration(s)), t.Start) }
}
