package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/matter/cluster"
)

// Bounds of what is said of values.
const (
	maxValuesSaid = 8  // in one line, in words
	maxValueWords = 40 // characters of a text
)

// A valueWord says what an attribute holds: with a number, or any value, in words,
// and the name alone where the value can't be told in a line.
type valueWord struct {
	name   string
	number func(n uint64) string // nil: name and number
	any    func(raw json.RawMessage) string
}

// attributeWords are those that matter of a device that sleeps, the endpoint left
// out: all but the battery's and the switch's are of endpoint 0. Units and enums
// are those of the Matter data model.
var attributeWords = map[cluster.Path]valueWord{
	{Cluster: cluster.BasicInformation, Attribute: 1}:  {name: "vendor", any: quoted},
	{Cluster: cluster.BasicInformation, Attribute: 3}:  {name: "product", any: quoted},
	{Cluster: cluster.BasicInformation, Attribute: 5}:  {name: "name", any: quoted},
	{Cluster: cluster.BasicInformation, Attribute: 10}: {name: "firmware", any: quoted},

	{Cluster: cluster.PowerSource, Attribute: 11}: {name: "battery", number: func(n uint64) string { return fmt.Sprintf("battery at %.2f V", float64(n)/1000) }},
	{Cluster: cluster.PowerSource, Attribute: 12}: {name: "battery", number: func(n uint64) string { return fmt.Sprintf("battery at %g %%", float64(n)/2) }},

	{Cluster: cluster.GeneralDiagnostics, Attribute: 0}: {name: "network interfaces", any: rows("network interface")},
	{Cluster: cluster.GeneralDiagnostics, Attribute: 1}: {name: "starts counted"},
	{Cluster: cluster.GeneralDiagnostics, Attribute: 2}: {name: "time up", number: func(n uint64) string { return "up for " + lasting(n, time.Second) }},
	{Cluster: cluster.GeneralDiagnostics, Attribute: 3}: {name: "hours in operation"},
	{Cluster: cluster.GeneralDiagnostics, Attribute: 4}: {name: "last start", number: func(n uint64) string {
		reasons := []string{"for no known reason", "as power came", "after a brown-out", "by a software watchdog", "by a hardware watchdog", "after an update", "by software"}
		if n < uint64(len(reasons)) {
			return "last started " + reasons[n]
		}
		return fmt.Sprintf("last started for reason %d", n)
	}},

	{Cluster: cluster.OperationalCredentials, Attribute: 1}: {name: "fabrics", any: rows("fabric")},
	{Cluster: cluster.OperationalCredentials, Attribute: 2}: {name: "room for fabrics"},
	{Cluster: cluster.OperationalCredentials, Attribute: 3}: {name: "fabrics in use"},

	{Cluster: cluster.ICDManagement, Attribute: 0}: {name: "idle time", number: func(n uint64) string { return "idle for up to " + lasting(n, time.Second) }},
	{Cluster: cluster.ICDManagement, Attribute: 1}: {name: "active time", number: func(n uint64) string { return "active for " + lasting(n, time.Millisecond) }},
	{Cluster: cluster.ICDManagement, Attribute: 2}: {name: "active threshold", number: func(n uint64) string { return "awake for " + lasting(n, time.Millisecond) + " after a message" }},
	{Cluster: cluster.ICDManagement, Attribute: 3}: {name: "registered clients", any: rows("registered client")},
	{Cluster: cluster.ICDManagement, Attribute: 4}: {name: "Check-In counter"},
	{Cluster: cluster.ICDManagement, Attribute: 5}: {name: "room for clients of each fabric"},
	{Cluster: cluster.ICDManagement, Attribute: 6}: {name: "ways to wake it", number: func(n uint64) string {
		if ways := icd.WakeBy(uint32(min(n, 1<<32-1)), ""); len(ways) > 0 {
			return "woken by: " + strings.Join(ways, ", or ")
		}
		return "no way to wake it is told"
	}},
	{Cluster: cluster.ICDManagement, Attribute: 7}: {name: "how to wake it", any: quoted},
	{Cluster: cluster.ICDManagement, Attribute: 8}: {name: "how it sleeps", number: func(n uint64) string {
		switch n {
		case 0:
			return "sleeps with a short idle time"
		case 1:
			return "sleeps with a long idle time"
		}
		return fmt.Sprintf("sleeps in mode %d", n)
	}},
	{Cluster: cluster.ICDManagement, Attribute: 9}: {name: "longest pause between Check-Ins", number: func(n uint64) string {
		return "at most " + lasting(n, time.Second) + " between Check-Ins"
	}},
	{Cluster: cluster.ICDManagement, Attribute: 0xFFFC}: {name: "what it can do asleep", number: func(n uint64) string {
		var can []string
		for i, s := range []string{"check in", "tell how to wake it", "sleep for long", "change how long it sleeps"} {
			if n&(1<<i) != 0 {
				can = append(can, s)
			}
		}
		if len(can) == 0 {
			return "it can neither check in nor sleep for long"
		}
		return "it can " + list(can, "and")
	}},
	{Cluster: cluster.ICDManagement, Attribute: 0xFFFD}: {name: "revision of how it sleeps"},

	{Cluster: clusterOfSwitch, Attribute: 1}: {name: "position of its switch"},
}

const clusterOfSwitch uint32 = 0x003B

// clusterWords name the clusters of attributes that are not in attributeWords.
var clusterWords = map[uint32]string{
	cluster.Descriptor: "Descriptor", cluster.BasicInformation: "Basic Information", cluster.PowerSource: "Power Source", clusterOfSwitch: "Switch",
	cluster.NetworkCommissioning: "Network Commissioning", cluster.GeneralDiagnostics: "General Diagnostics", cluster.ThreadNetworkDiagnostics: "Thread Network Diagnostics",
	cluster.OperationalCredentials: "Operational Credentials", cluster.ICDManagement: "ICD Management",
}

// lasting is a time in words; one that no clock has is told as it is.
func lasting(n uint64, unit time.Duration) string {
	switch {
	case n > uint64(100*365*24*time.Hour/unit):
		return fmt.Sprintf("%d times %v", n, unit)
	case unit < time.Second && n%1000 != 0:
		return fmt.Sprintf("%d ms", n)
	}
	return ago(time.Duration(n) * unit)
}

// quoted is a text.
func quoted(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return strconv.Quote(clip(clean(s), maxValueWords))
}

// rows counts those of a list.
func rows(what string) func(json.RawMessage) string {
	return func(raw json.RawMessage) string {
		var all []json.RawMessage
		if json.Unmarshal(raw, &all) != nil || all == nil {
			return ""
		}
		return counted(len(all), what)
	}
}

// parsePath reads "0/51/1".
func parsePath(s string) (p cluster.Path, ok bool) {
	part := strings.Split(s, "/")
	if len(part) != 3 {
		return p, false
	}
	e, err := strconv.ParseUint(part[0], 10, 16)
	c, err2 := strconv.ParseUint(part[1], 10, 32)
	a, err3 := strconv.ParseUint(part[2], 10, 32)
	return cluster.Path{Endpoint: uint16(e), Cluster: uint32(c), Attribute: uint32(a)}, err == nil && err2 == nil && err3 == nil
}

// valueWords say what an attribute of a device is; raw is its value, nil where that
// is not at hand. known is false where the attribute is none of those that matter
// here.
func valueWords(p cluster.Path, raw json.RawMessage) (words string, known bool) {
	key := p
	key.Endpoint = 0
	w, known := attributeWords[key]
	if !known {
		name := fmt.Sprintf("cluster 0x%04x", p.Cluster)
		if s, ok := clusterWords[p.Cluster]; ok {
			name = s
		}
		words = fmt.Sprintf("%s attribute %d", name, p.Attribute)
		if p.Endpoint != 0 {
			words += fmt.Sprintf(" of endpoint %d", p.Endpoint)
		}
		if raw != nil {
			words += ": " + clip(clean(string(raw)), maxValueWords)
		}
		return words, false
	}
	var n uint64
	switch {
	case raw == nil:
		return w.name, true
	case string(raw) == "null":
		return w.name + ": none", true
	case w.any != nil:
		s := w.any(raw)
		switch {
		case s == "":
			return w.name, true
		case strings.HasPrefix(s, `"`):
			return w.name + " " + s, true
		}
		return s, true
	case json.Unmarshal(raw, &n) != nil:
		return w.name + ": " + clip(clean(string(raw)), maxValueWords), true
	case w.number != nil:
		return w.number(n), true
	}
	return fmt.Sprintf("%s: %d", w.name, n), true
}

// readWords are all values of a reading: those that matter, in the order of their
// paths, and how many more there were.
func readWords(values map[string]json.RawMessage) string {
	paths := slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		x, _ := parsePath(a)
		y, _ := parsePath(b)
		return slices.Compare([]uint32{uint32(x.Endpoint), x.Cluster, x.Attribute}, []uint32{uint32(y.Endpoint), y.Cluster, y.Attribute})
	})
	var words []string
	more := 0
	for _, s := range paths {
		p, ok := parsePath(s)
		if !ok {
			more++
			continue
		}
		switch said, known := valueWords(p, values[s]); {
		case !known && len(paths) > maxValuesSaid, len(words) == maxValuesSaid:
			more++
		default:
			words = append(words, said)
		}
	}
	if more > 0 {
		words = append(words, "and "+counted(more, "more value"))
	}
	return strings.Join(words, ", ")
}

// attributeSaid is a value that came of itself, from a controller: a path of
// Matter's, or an entity of Home Assistant's.
func attributeSaid(w *icd.Attribute) string {
	if p, ok := parsePath(w.Path); ok {
		words, _ := valueWords(p, w.Value)
		return words
	}
	var event struct {
		State string `json:"state"`
		Type  string `json:"event_type"`
	}
	if json.Unmarshal(w.Value, &event) == nil && event.Type != "" {
		return fmt.Sprintf("%s: %s", clip(clean(w.Path), maxValueWords), strings.ReplaceAll(clip(clean(event.Type), maxValueWords), "_", " "))
	}
	return fmt.Sprintf("%s: %s", clip(clean(w.Path), maxValueWords), clip(clean(string(w.Value)), maxValueWords))
}

// pathsIn are the paths in a line of an observation, with numbers where it has
// them; a line cuts a long list off with "…".
var pathsIn = regexp.MustCompile(`(?:^|\b)\d{1,5}/\d{1,10}/\d{1,10}(?:=\d+)?(?: \d{1,5}/\d{1,10}/\d{1,10}(?:=\d+)?)*(?: …)?`)

// sayPaths puts those into words.
func sayPaths(line string) string {
	return pathsIn.ReplaceAllStringFunc(line, func(found string) string {
		var words []string
		for _, f := range strings.Fields(found) {
			path, value, has := strings.Cut(f, "=")
			p, ok := parsePath(path)
			switch {
			case f == "…":
				words = append(words, "more")
				continue
			case !ok:
				return found
			}
			var raw json.RawMessage
			if has {
				raw = json.RawMessage(value)
			}
			said, known := valueWords(p, raw)
			if !known && len(strings.Fields(found)) == 1 && !has { // anything with two slashes
				return found
			}
			words = append(words, said)
		}
		return strings.Join(words, ", ")
	})
}
