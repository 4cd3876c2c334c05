package mesh

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"threadmap/diag"
)

// Bounds of a home file, checked before a parser sees it: the parser's time
// grows faster than its input. They leave room for homes of some five hundred
// nodes; larger ones are generated.
const (
	maxYAML      = 512 << 10 // octets
	maxYAMLLines = 20000
	maxYAMLLine  = 2000 // octets
	maxYAMLDepth = 12   // of nesting; a home needs 6
	maxNetworks  = 100
)

// The documents of a home file. A field that is left out is made up, always
// alike for one home name, but for those that Validate asks for.
type (
	homeDoc struct {
		Home     string       `yaml:"home"`
		Networks []networkDoc `yaml:"networks"`
	}
	networkDoc struct {
		Name            string         `yaml:"name"`
		ExtPANID        string         `yaml:"ext_pan_id,omitempty"`
		PANID           string         `yaml:"pan_id,omitempty"`
		Channel         uint8          `yaml:"channel,omitempty"`
		MeshLocalPrefix string         `yaml:"mesh_local_prefix,omitempty"`
		OMRPrefixes     []string       `yaml:"omr_prefixes,omitempty"`
		ActiveTimestamp uint64         `yaml:"active_timestamp,omitempty"`
		NoServices      bool           `yaml:"no_services,omitempty"`
		NetworkKey      string         `yaml:"network_key,omitempty"`
		PSKc            string         `yaml:"pskc,omitempty"`
		Partitions      []partitionDoc `yaml:"partitions,omitempty"`
		Nodes           []nodeDoc      `yaml:"nodes"`
		Links           []linkDoc      `yaml:"links,omitempty"`
		Faults          []faultDoc     `yaml:"faults,omitempty"`
	}
	partitionDoc struct {
		ID                  uint32 `yaml:"id"`
		Leader              string `yaml:"leader"`
		Weighting           uint8  `yaml:"weighting,omitempty"`
		DataVersion         uint8  `yaml:"data_version,omitempty"`
		StableDataVersion   uint8  `yaml:"stable_data_version,omitempty"`
		IDSequence          uint8  `yaml:"id_sequence,omitempty"`
		CommissionerSession uint16 `yaml:"commissioner_session,omitempty"`
	}
	nodeDoc struct {
		Name          string      `yaml:"name"`
		Parent        string      `yaml:"parent,omitempty"` // absent: a router
		ExtAddr       string      `yaml:"ext_addr,omitempty"`
		EUI64         string      `yaml:"eui64,omitempty"`
		RouterID      *uint8      `yaml:"router_id,omitempty"`
		ChildID       uint16      `yaml:"child_id,omitempty"`
		Partition     int         `yaml:"partition,omitempty"` // index
		Mode          string      `yaml:"mode,omitempty"`      // OpenThread's form: "rdn", "-"
		REED          bool        `yaml:"reed,omitempty"`
		BorderRouter  bool        `yaml:"border_router,omitempty"`
		BorderAgentID string      `yaml:"border_agent_id,omitempty"`
		OTBR          int         `yaml:"otbr,omitempty"`
		Room          string      `yaml:"room,omitempty"`
		Vendor        string      `yaml:"vendor,omitempty"`
		Model         string      `yaml:"model,omitempty"`
		Firmware      string      `yaml:"firmware,omitempty"`
		Stack         string      `yaml:"stack,omitempty"`
		ThreadVersion uint16      `yaml:"thread_version,omitempty"`
		Timeout       duration    `yaml:"timeout,omitempty"`
		Supervision   duration    `yaml:"supervision,omitempty"`
		MLEIID        string      `yaml:"mleid_iid,omitempty"`
		OMRIID        string      `yaml:"omr_iid,omitempty"`
		Battery       uint8       `yaml:"battery,omitempty"`
		SequenceLag   uint8       `yaml:"sequence_lag,omitempty"`
		Place         []int       `yaml:"place,omitempty,flow"` // x, y, z in centimetres
		Matter        []matterDoc `yaml:"matter,omitempty"`
	}
	matterDoc struct {
		Fabric string `yaml:"fabric"`
		Node   string `yaml:"node"`
	}
	linkDoc struct {
		A    string        `yaml:"a"`
		B    string        `yaml:"b"`
		RSSI *int8         `yaml:"rssi,omitempty"` // both ways, where no direction is given
		AToB *directionDoc `yaml:"a_to_b,omitempty,flow"`
		BToA *directionDoc `yaml:"b_to_a,omitempty,flow"`
		Age  duration      `yaml:"age,omitempty"`
		Up   duration      `yaml:"up,omitempty"`
	}
	directionDoc struct {
		RSSI         int8   `yaml:"rssi"`
		LQ           *uint8 `yaml:"lq,omitempty"` // default: what the strength gives
		LastRSSI     *int8  `yaml:"last_rssi,omitempty"`
		Margin       *uint8 `yaml:"margin,omitempty"`
		FrameError   uint16 `yaml:"frame_error,omitempty"` // of 65535
		MessageError uint16 `yaml:"message_error,omitempty"`
	}
	faultDoc struct {
		Kind     string   `yaml:"kind"`
		Node     string   `yaml:"node"`
		Peer     string   `yaml:"peer,omitempty"`
		Nodes    []string `yaml:"nodes,omitempty"`
		RouterID uint8    `yaml:"router_id,omitempty"`
		ChildID  uint16   `yaml:"child_id,omitempty"`
		LQ       uint8    `yaml:"lq,omitempty"`
		Age      duration `yaml:"age,omitempty"`
		Delay    duration `yaml:"delay,omitempty"`
	}
	// A duration is written as Go writes it: "4m0s".
	duration string
)

func (d duration) parse(what string) (time.Duration, error) {
	if d == "" {
		return 0, nil
	}
	v, err := time.ParseDuration(string(d))
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%s %q: want a time such as 4m or 90s", what, clip(string(d)))
	}
	return v, nil
}

// ParseYAML reads a home, as [MarshalYAML] writes it or by hand: a network needs
// a name and nodes, a child its parent, all else can be left out. Unknown words
// are errors, and so is what the protocol does not allow. An error is one line.
func ParseYAML(b []byte) (h *Home, err error) {
	defer func() {
		if r := recover(); r != nil { // the parser is somebody else's
			h, err = nil, fmt.Errorf("home file: not readable as YAML")
		}
	}()
	if len(b) > maxYAML {
		return nil, fmt.Errorf("home file: %d octets; at most %d are read", len(b), maxYAML)
	}
	if err := checkTokens(string(b)); err != nil {
		return nil, fmt.Errorf("home file: %w", err)
	}
	var doc homeDoc
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("home file: %s", oneLine(err))
	}
	if len(doc.Networks) == 0 || len(doc.Networks) > maxNetworks {
		return nil, fmt.Errorf("home file: %d networks: want 1 to %d under \"networks\"", len(doc.Networks), maxNetworks)
	}
	sum := fnv.New64a()
	sum.Write([]byte(doc.Home))
	k := newMaker(sum.Sum64())
	h = &Home{Name: doc.Home}
	for i := range doc.Networks {
		m, err := doc.Networks[i].mesh(k)
		if err != nil {
			return nil, fmt.Errorf("home file: network %q: %w", clip(doc.Networks[i].Name), err)
		}
		h.Networks = append(h.Networks, m)
	}
	if err := h.Validate(); err != nil {
		return nil, fmt.Errorf("home file: %w", err)
	}
	return h, nil
}

// checkTokens refuses what a home needs not and a parser can choke on:
// anchors, aliases, tags, several documents, deep nesting.
func checkTokens(src string) error {
	if n := strings.Count(src, "\n"); n > maxYAMLLines {
		return fmt.Errorf("%d lines; at most %d are read", n, maxYAMLLines)
	}
	open, indent := 0, 0
	for line := range strings.SplitSeq(src, "\n") {
		if len(line) > maxYAMLLine {
			return fmt.Errorf("a line of %d octets; at most %d are read", len(line), maxYAMLLine)
		}
		trimmed := strings.TrimLeft(line, " -")
		indent = max(indent, len(line)-len(trimmed))
		open += strings.Count(line, "[") + strings.Count(line, "{") - strings.Count(line, "]") - strings.Count(line, "}")
		if deep := strings.Count(line, "[") + strings.Count(line, "{"); deep > 4*maxYAMLDepth || open > maxYAMLDepth || indent > 8*maxYAMLDepth {
			return fmt.Errorf("nested too deeply")
		}
	}
	for _, t := range lexer.Tokenize(src) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.DocumentEndType:
			return fmt.Errorf("line %d: anchors, aliases, tags and directives are not read", t.Position.Line)
		}
	}
	return nil
}

func oneLine(err error) string {
	s := yaml.FormatError(err, false, false)
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// mesh builds the network of a document.
func (d *networkDoc) mesh(k *maker) (*Mesh, error) {
	if len(d.Nodes) == 0 || len(d.Nodes) > maxNodes {
		return nil, fmt.Errorf("%d nodes: want 1 to %d", len(d.Nodes), maxNodes)
	}
	m := k.network(d.Name, 15)
	p := parsing{}
	p.hex64(&m.ExtPANID, d.ExtPANID, "ext_pan_id")
	if d.PANID != "" {
		v, err := strconv.ParseUint(strings.TrimPrefix(d.PANID, "0x"), 16, 16)
		p.fail(err, "pan_id", d.PANID, "want four hexadecimal digits such as 0xface")
		m.PANID = uint16(v)
	}
	if d.Channel != 0 {
		m.Channel = d.Channel
	}
	if d.MeshLocalPrefix != "" {
		m.MeshLocalPrefix = p.prefix(d.MeshLocalPrefix, "mesh_local_prefix")
	}
	if d.OMRPrefixes != nil {
		m.OMRPrefixes = m.OMRPrefixes[:0]
		for _, s := range d.OMRPrefixes {
			m.OMRPrefixes = append(m.OMRPrefixes, p.prefix(s, "omr_prefixes"))
		}
	}
	if d.ActiveTimestamp != 0 {
		m.ActiveTimestamp = d.ActiveTimestamp
	}
	m.NoServices = d.NoServices
	p.key(&m.NetworkKey, d.NetworkKey, "network_key")
	p.key(&m.PSKc, d.PSKc, "pskc")
	if p.err != nil {
		return nil, p.err
	}
	names, err := d.nodes(k, m)
	if err != nil {
		return nil, err
	}
	if err := d.partitions(m, names); err != nil {
		return nil, err
	}
	if err := d.links(m, names); err != nil {
		return nil, err
	}
	return m, d.faults(m, names)
}

// parsing keeps the first error.
type parsing struct{ err error }

func (p *parsing) fail(err error, field, value, want string) {
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("%s %q: %s", field, clip(value), want)
	}
}

func (p *parsing) hex64(to any, s, field string) {
	if s == "" {
		return
	}
	v, err := diag.ParseExtAddr(s)
	p.fail(err, field, s, "want 16 hexadecimal digits, in quotes")
	if err != nil {
		return
	}
	switch to := to.(type) {
	case *diag.ExtAddr:
		*to = v
	case *diag.PANID64:
		*to = diag.PANID64(v)
	case *uint64:
		*to = uint64(v)
	}
}

func (p *parsing) prefix(s, field string) netip.Prefix {
	v, err := netip.ParsePrefix(s)
	p.fail(err, field, s, "want a prefix such as fd00:db8:a0::/64")
	return v
}

func (p *parsing) key(to *[16]byte, s, field string) {
	if s == "" {
		return
	}
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 { // the value is a secret, so it is not quoted
		if p.err == nil {
			p.err = fmt.Errorf("%s: want 32 hexadecimal digits, in quotes", field)
		}
		return
	}
	*to = [16]byte(b)
}

func parseMode(s string) (diag.Mode, error) {
	var m diag.Mode
	if s == "-" {
		return m, nil
	}
	for _, c := range s {
		switch c {
		case 'r':
			m.RxOnWhenIdle = true
		case 'd':
			m.FullThreadDevice = true
		case 'n':
			m.FullNetworkData = true
		default:
			return m, fmt.Errorf("mode %q: want letters of \"rdn\", or \"-\"", clip(s))
		}
	}
	return m, nil
}

// rssiDefault is the strength of links that say nothing of it, in dBm.
const rssiDefault = -60
