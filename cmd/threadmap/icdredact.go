package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"threadmap/cmd/threadmap/internal/redact"
	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/diag/matter/cluster"
)

// A timelineRedactor makes a timeline that strangers may see: what tells whose home
// it is has become pseudonyms before anything is judged, so a verdict can tell no
// more. What is not known to be harmless is left out.
type timelineRedactor struct {
	*redact.Redactor
	fabrics map[uint64]uint64 // compressed fabric ids that follow from made-up keys
	rows    map[string]json.RawMessage
}

// redactTimeline makes the copy.
func redactTimeline(r *redact.Redactor, t *icd.Timeline) *icd.Timeline {
	x := &timelineRedactor{Redactor: r, fabrics: map[uint64]uint64{}, rows: map[string]json.RawMessage{}}
	for o := range t.All() {
		if w, ok := o.What.(*icd.Read); ok {
			x.learnFabrics(w.Values[fabricsPath])
		}
	}
	out := icd.NewTimeline(x.node(t.Node), t.Start)
	for o := range t.All() {
		if what, ok := x.what(o); ok {
			out.Add(icd.Observation{At: o.At, By: o.By, Event: o.Event, Node: x.node(o.Node), Ext: x.node(o.Ext), What: what})
		}
	}
	return out
}

// The list of a node's fabrics (Operational Credentials, 0x003E), and the columns
// of it that matter.
const (
	fabricsPath    = "0/62/1"
	registeredPath = "0/70/3"
	maxRows        = 32
)

// learnFabrics makes up a root key for each fabric, so that the compressed id of
// the fabric follows from it as it does from the real one.
func (x *timelineRedactor) learnFabrics(raw json.RawMessage) {
	if raw == nil || x.rows[string(raw)] != nil || len(x.rows) >= maxRows {
		return
	}
	var rows []map[string]json.RawMessage
	if json.Unmarshal(raw, &rows) != nil || len(rows) > maxRows {
		return
	}
	type row struct {
		Key    string          `json:"1"`
		Vendor json.RawMessage `json:"2"`
		ID     uint64          `json:"3"`
		Index  json.RawMessage `json:"254"`
	}
	out := []row{}
	for _, r := range rows {
		var text string
		var id, vendor, index uint64
		if json.Unmarshal(r["1"], &text) != nil || json.Unmarshal(r["3"], &id) != nil || json.Unmarshal(r["2"], &vendor) != nil || json.Unmarshal(r["254"], &index) != nil {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != 65 {
			continue
		}
		was, err := cluster.CompressedFabricID(key, id)
		if err != nil {
			continue
		}
		made := make([]byte, 65)
		made[0] = 4
		for i := range 8 {
			v := x.Number("root key "+strconv.Itoa(i), was)
			for k := range 8 {
				made[1+8*i+k] = byte(v >> (8 * k))
			}
		}
		newID := x.Number("fabric id", id)
		is, err := cluster.CompressedFabricID(made, newID)
		if err != nil {
			continue
		}
		x.fabrics[was] = is
		out = append(out, row{base64.StdEncoding.EncodeToString(made), r["2"], newID, r["254"]})
	}
	b, err := json.Marshal(out)
	if err == nil {
		x.rows[string(raw)] = b
	}
}

func (x *timelineRedactor) fabric(id uint64) uint64 {
	if made, ok := x.fabrics[id]; ok {
		return made
	}
	return x.Matter(diag.MatterID{Fabric: id, Node: 1}).Fabric
}

func hex16(s string) (uint64, bool) {
	if len(s) != 16 {
		return 0, false
	}
	v, err := strconv.ParseUint(s, 16, 64)
	return v, err == nil
}

// fabricHex redacts 16 hexadecimal digits as a fabric.
func (x *timelineRedactor) fabricHex(s string) string {
	if v, ok := hex16(s); ok {
		return fmt.Sprintf("%016X", x.fabric(v))
	}
	return ""
}

// node redacts how a line names a device.
func (x *timelineRedactor) node(n icd.NodeName) icd.NodeName {
	s := string(n)
	if s == "" {
		return ""
	}
	if e, err := diag.ParseExtAddr(s); err == nil {
		return icd.NodeName(x.ExtAddr(e).String())
	}
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		return icd.NodeName(strconv.FormatUint(x.Number("matter node", v), 10))
	}
	return icd.NodeName(x.name(s))
}

// name redacts a DNS-SD name, which keeps its service.
func (x *timelineRedactor) name(s string) string {
	label, service, _ := strings.Cut(s, "._")
	if service != "" {
		service = "._" + service
		if !serviceName.MatchString(service) {
			service = ""
		}
	}
	if fabric, node, ok := strings.Cut(label, "-"); ok {
		f, isFabric := hex16(fabric)
		n, isNode := hex16(node)
		if isFabric && isNode {
			return fmt.Sprintf("%016X-%016X", x.fabric(f), x.Number("matter node", n)) + service
		}
	}
	if service == "" && strings.Contains(label, ".") {
		return x.host(label)
	}
	return x.Instance(label) + service
}

var (
	serviceName = regexp.MustCompile(`^(\._[a-z0-9-]{1,32}){1,3}\._(udp|tcp)(\.local\.?)?$|^\._[a-z0-9-]{1,32}\._(udp|tcp)(\.local\.?)?$`)
	identifier  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,40}$`)
)

func (x *timelineRedactor) host(s string) string {
	if s == "" {
		return ""
	}
	h := x.Host(s)
	if strings.HasSuffix(strings.TrimSuffix(s, "."), ".local") {
		h += ".local"
	}
	return h
}

// at redacts an address, or a name in its place.
func (x *timelineRedactor) at(s string) string {
	if s == "" || s == "host" || s == "otbr" {
		return s
	}
	if a, err := netip.ParseAddr(s); err == nil {
		if b, ok := x.Address(a); ok {
			return b.String()
		}
		return x.Word("host", a.WithZone("").String())
	}
	return x.host(s)
}

func (x *timelineRedactor) ats(l []string) []string {
	if l == nil {
		return nil
	}
	out := []string{}
	for _, s := range l {
		out = append(out, x.at(s))
	}
	return out
}

func (x *timelineRedactor) prefix(s string) string {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return ""
	}
	if p = x.Prefix(p); p.IsValid() {
		return p.String()
	}
	return ""
}

// router redacts a router's RLOC16 or extended address.
func (x *timelineRedactor) router(s string) string {
	if e, err := diag.ParseExtAddr(s); err == nil {
		return x.ExtAddr(e).String()
	}
	if strings.HasPrefix(s, "0x") && len(s) <= 6 {
		if _, err := strconv.ParseUint(s[2:], 16, 16); err == nil {
			return s
		}
	}
	return x.Word("router", s)
}

// controller is who a controller is: the words that say what kind it is stay.
func (x *timelineRedactor) controller(s string) string {
	if v, ok := hex16(s); ok {
		return fmt.Sprintf("%016X", x.fabric(v))
	}
	var kept []string
	for w := range strings.FieldsSeq(strings.ToLower(s)) {
		if slices.Contains(controllerWords, w) {
			kept = append(kept, strings.ToUpper(w[:1])+w[1:])
		}
	}
	if len(kept) == 0 {
		return x.Word("controller", s)
	}
	return strings.Join(kept, " ")
}

var controllerWords = []string{"apple", "home", "keychain", "homepod", "google", "nest", "assistant", "alexa", "amazon", "echo", "smartthings", "samsung", "aqara", "tuya", "homey", "canary", "threadmap", "controller"}

// plainText keeps of a text what is of the vocabulary of logs, and numbers that are
// times.
func plainText(s string) string {
	var out []string
	all := wordOrNumber.FindAllString(clean(s), 80)
	for i, w := range all {
		l := strings.ToLower(w)
		unit := i+1 < len(all) && slices.Contains(timeUnits, strings.ToLower(all[i+1]))
		if slices.Contains(logWords, l) || len(l) <= 10 && isTime.MatchString(l) && (unit || !isDigit(l[len(l)-1])) {
			out = append(out, w)
		} else if len(out) == 0 || out[len(out)-1] != "…" {
			out = append(out, "…")
		}
	}
	return strings.Join(out, " ")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

var (
	timeUnits = []string{"ms", "s", "sec", "second", "seconds", "min", "minutes"}
	isTime    = regexp.MustCompile(`^[0-9]+(ms|s)?$`)
)

var wordOrNumber = regexp.MustCompile(`[A-Za-z0-9_-]+`)

var logWords = strings.Fields(`a ack acks active after again an and announcement answer answered anew as at attempt attempts available back because before began broke busy by
cancel cancelled case check-in checkin closed closing connection controller could deadline delete deleted device did discover discovery done down ended error established event events exchange expired
exceeded failed failure finished for from full gone got has have host in invalid invalid_subscription invalidparam invalidsubscription is it keep kick known left listening liveness lookup lost max
message messages missing more ms network new no no_shared_trust no_shared_trust_roots node none not of off offline old on online operational out over param peer permission priming reach
reachable received reconnect refused rejected removed report reported reporting reset resolve resolved response restart restarted resubscribe resubscribing resubscription resume resumed resuming
resumption retransmission retransmissions retransmitted retry roots route s second seconds secure send sending sent server session shared sigma sigma1 sigma2 sigma2resume sigma3 sleep sleeping started
status stopped subscribe subscribed subscribing subscription subscriptions success succeeded target the time timed timeout timer to trust try trying unavailable unknown unreachable until up via wait
waiting wake was will with without yet accepted seen network migrated migration moved restore restored reinstall reinstalled changed`)

// values redacts attribute values: numbers and truth values stay, what a maker says
// of its product too, and lists of who is on a device without saying who.
func (x *timelineRedactor) values(m map[string]json.RawMessage) map[string]json.RawMessage {
	if m == nil {
		return nil
	}
	out := map[string]json.RawMessage{}
	for _, path := range slices.Sorted(maps.Keys(m)) {
		if !attributePath.MatchString(path) {
			continue
		}
		if v := x.value(path, m[path]); v != nil {
			out[path] = v
		}
	}
	return out
}

var attributePath = regexp.MustCompile(`^[0-9]{1,5}/[0-9]{1,10}/[0-9]{1,10}$`)

func (x *timelineRedactor) value(path string, raw json.RawMessage) json.RawMessage {
	if s := string(raw); s == "true" || s == "false" || s == "null" {
		return raw
	}
	switch path {
	case fabricsPath:
		return x.rows[string(raw)]
	case registeredPath:
		return countedRows(raw)
	case "0/40/1", "0/40/3", "0/40/8", "0/40/10": // VendorName, ProductName, HardwareVersionString, SoftwareVersionString
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return nil
		}
		b, err := json.Marshal(x.Makers(s))
		if err != nil {
			return nil
		}
		return b
	}
	var n json.Number
	if json.Unmarshal(raw, &n) != nil || n == "" || raw[0] == '"' || !keptClusters[strings.Split(path, "/")[1]] {
		return nil
	}
	return raw
}

// keptClusters are those whose numbers say nothing of a home: Basic Information,
// General Diagnostics, Operational Credentials (counts), Switch, ICD Management.
var keptClusters = map[string]bool{"40": true, "51": true, "59": true, "62": true, "70": true}

// countedRows is a list with of each row its fabric index alone.
func countedRows(raw json.RawMessage) json.RawMessage {
	var rows []map[string]json.RawMessage
	if json.Unmarshal(raw, &rows) != nil || len(rows) > maxRows {
		return nil
	}
	out := []map[string]json.RawMessage{}
	for _, r := range rows {
		kept := map[string]json.RawMessage{}
		var index uint64
		if json.Unmarshal(r["254"], &index) == nil {
			kept["254"] = r["254"]
		}
		out = append(out, kept)
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return b
}

// txt redacts the keys of a TXT record that matter.
func (x *timelineRedactor) txt(m map[string]string) map[string]string {
	if len(m) == 0 {
		return m
	}
	out := map[string]string{}
	for k, v := range m {
		switch l := strings.ToLower(k); l {
		case "sii", "sai", "sat", "icd", "t", "rv", "tv", "sb", "sq", "bb", "pt", "at":
			if txtValue.MatchString(v) {
				out[k] = v
			}
		case "xa":
			if e, ok := hex16(v); ok {
				out[k] = x.ExtAddr(diag.ExtAddr(e)).String()
			}
		case "xp":
			if e, ok := hex16(v); ok {
				out[k] = fmt.Sprintf("%016x", x.Number("network", e))
			}
		case "omr":
			if s, ok := x.omr(v); ok {
				out[k] = s
			}
		case "vn", "mn":
			out[k] = x.Makers(v)
		}
	}
	if len(out) == 0 { // that there was something matters
		out["redacted"] = "1"
	}
	return out
}

var txtValue = regexp.MustCompile(`^[0-9a-fA-F.]{1,16}$`)

// omr redacts the prefix that a border router announces: its length, then octets.
func (x *timelineRedactor) omr(s string) (string, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) < 1 || len(b) > 17 || b[0] > 128 {
		return "", false
	}
	var a [16]byte
	copy(a[:], b[1:])
	p := x.Prefix(netip.PrefixFrom(netip.AddrFrom16(a), int(b[0])))
	if !p.IsValid() {
		return "", false
	}
	a = p.Addr().As16()
	return fmt.Sprintf("%02x%x", p.Bits(), a[:(p.Bits()+7)/8]), true
}

func event(s string) string {
	if identifier.MatchString(s) {
		return s
	}
	return ""
}

// what redacts what a line carries; ok is false for a line that is left out.
func (x *timelineRedactor) what(o *icd.Observation) (_ any, ok bool) {
	switch w := o.What.(type) {
	case *icd.Announce:
		return &icd.Announce{Instance: x.name(w.Instance), Service: service(w.Service), Host: x.host(w.Host), Addresses: x.ats(w.Addresses), Port: w.Port, TXT: x.txt(w.TXT), TTL: w.TTL, From: x.at(w.From), Owner: w.Owner}, true
	case *icd.Question:
		return &icd.Question{Name: x.name(w.Name), Types: keepWords(w.Types), From: x.at(w.From)}, true
	case *icd.Answer:
		return &icd.Answer{Name: x.name(w.Name), Addresses: x.ats(w.Addresses), From: x.at(w.From), TTL: w.TTL, Owner: w.Owner}, true
	case *icd.Advert:
		out := &icd.Advert{From: x.at(w.From)}
		for _, p := range w.Prefixes {
			if s := x.prefix(p.Prefix); s != "" {
				out.Prefixes = append(out.Prefixes, icd.AdvertPrefix{Prefix: s, Kind: event(p.Kind), Lifetime: p.Lifetime})
			}
		}
		return out, true
	case *icd.Child:
		c := *w
		c.Parent, c.RLOC16 = x.router(w.Parent), x.router(w.RLOC16)
		return &c, true
	case *icd.NoChild:
		out := &icd.NoChild{}
		for _, s := range w.Asked {
			out.Asked = append(out.Asked, x.router(s))
		}
		return out, true
	case *icd.Router:
		return &icd.Router{RLOC16: x.router(w.RLOC16), Ext: x.router(w.Ext), Children: w.Children}, true
	case *icd.RouterSilent:
		return &icd.RouterSilent{RLOC16: x.router(w.RLOC16), Ext: x.router(w.Ext)}, true
	case *icd.Netdata:
		out := &icd.Netdata{}
		if w.SRP != nil {
			out.SRP = []icd.SRPServer{}
		}
		for _, s := range w.SRP {
			out.SRP = append(out.SRP, icd.SRPServer{Address: x.at(s.Address), Port: s.Port})
		}
		if w.Prefixes != nil {
			out.Prefixes = []icd.NetdataPrefix{}
		}
		for _, p := range w.Prefixes {
			if s := x.prefix(p.Prefix); s != "" {
				out.Prefixes = append(out.Prefixes, icd.NetdataPrefix{Prefix: s, SLAAC: p.SLAAC, Preferred: p.Preferred})
			}
		}
		return out, true
	case *icd.Ping:
		return &icd.Ping{To: x.at(w.To), From: x.at(w.From), Sent: w.Sent, Received: w.Received, RTT: w.RTT, Error: plainText(w.Error)}, true
	case *icd.Subscribed:
		return &icd.Subscribed{ID: w.ID, Min: w.Min, Max: w.Max, Urgent: w.Urgent, Fabric: x.fabricHex(w.Fabric)}, true
	case *icd.Sigma1:
		return &icd.Sigma1{Resumption: w.Resumption, OpenedBy: event(w.OpenedBy), From: x.at(w.From), To: x.at(w.To), Fabric: x.fabricHex(w.Fabric)}, true
	case *icd.CASE:
		return &icd.CASE{OpenedBy: event(w.OpenedBy), Result: event(w.Result), Error: plainText(w.Error), From: x.at(w.From), To: x.at(w.To), Fabric: x.fabricHex(w.Fabric)}, true
	case *icd.Spoke:
		return &icd.Spoke{OpenedBy: event(w.OpenedBy), From: x.at(w.From), To: x.at(w.To), Fabric: x.fabricHex(w.Fabric), Sent: w.Sent, Answered: w.Answered}, true
	case *icd.Watched:
		return &icd.Watched{For: w.For, From: x.at(w.From), To: x.at(w.To), Fabric: x.fabricHex(w.Fabric), Messages: w.Messages, Last: w.Last}, true
	case *icd.PASE:
		return &icd.PASE{OpenedBy: event(w.OpenedBy), From: x.at(w.From), To: x.at(w.To)}, true
	case *icd.CheckIn:
		return &icd.CheckIn{Counter: w.Counter, Decrypted: w.Decrypted, From: x.at(w.From), To: x.at(w.To), Fabric: x.fabricHex(w.Fabric)}, true
	case *icd.Report:
		return &icd.Report{ID: w.ID, Known: w.Known, Priming: w.Priming, Values: x.values(w.Values)}, true
	case *icd.Read:
		return &icd.Read{Values: x.values(w.Values), FabricFiltered: w.FabricFiltered}, true
	case *icd.DeviceEvent:
		e := *w
		e.Name = event(w.Name)
		return &e, true
	case *icd.ReadEvents:
		out := &icd.ReadEvents{EventMin: w.EventMin}
		for _, e := range w.Events {
			e.Name = event(e.Name)
			out.Events = append(out.Events, e)
		}
		return out, true
	case *icd.Lost:
		return &icd.Lost{Reason: plainText(w.Reason)}, true
	case *icd.Available:
		return w, true
	case *icd.Attribute:
		if v := x.value(w.Path, w.Value); v != nil && attributePath.MatchString(w.Path) {
			return &icd.Attribute{Path: w.Path, Value: v}, true
		}
		return nil, false
	case *icd.Log:
		return &icd.Log{Text: plainText(w.Text)}, true
	case *icd.Reboot, *icd.PowerOff, *icd.PowerOn:
		return w, true
	case *icd.Press:
		return &icd.Press{Works: w.Works, Controller: x.named(w.Controller)}, true
	case *icd.Complaint:
		return &icd.Complaint{Controller: x.named(w.Controller), Text: withheldWords(w.Text)}, true
	case *icd.Changed:
		return &icd.Changed{What: plainText(w.What)}, true
	case *icd.Route:
		return &icd.Route{Prefix: x.prefix(w.Prefix), Present: w.Present}, true
	case *icd.Sysctl:
		var n json.Number
		if name, ok := sysctl(w.Name); ok && json.Unmarshal(w.Value, &n) == nil && len(w.Value) < 24 {
			return &icd.Sysctl{Name: name, Value: w.Value}, true
		}
		return nil, false
	case *icd.Neighbour:
		return &icd.Neighbour{To: x.at(w.To), MAC: x.Word("mac", strings.ToLower(w.MAC)), SameAs: x.at(w.SameAs)}, true
	case *icd.Unreachable:
		return &icd.Unreachable{To: x.at(w.To), From: x.at(w.From), Reason: plainText(w.Reason)}, true
	}
	return nil, false
}

func (x *timelineRedactor) named(s string) string {
	if s == "" {
		return ""
	}
	return x.controller(s)
}

// withheldWords stand for a person's.
func withheldWords(s string) string {
	if s == "" {
		return ""
	}
	return "(words withheld)"
}

func service(s string) string {
	if serviceName.MatchString("." + strings.TrimPrefix(s, ".")) {
		return s
	}
	return ""
}

func keepWords(l []string) []string {
	var out []string
	for _, s := range l {
		if identifier.MatchString(s) {
			out = append(out, s)
		}
	}
	return out
}

// sysctl hides the name of a network interface in that of a setting.
func sysctl(name string) (string, bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 5 || parts[0] != "net" || !identifier.MatchString(strings.ReplaceAll(parts[4], "_", "-")) {
		return "", false
	}
	if parts[3] != "all" && parts[3] != "default" {
		parts[3] = "interface"
	}
	return strings.Join(parts, "."), parts[1] == "ipv6" || parts[1] == "ipv4"
}
