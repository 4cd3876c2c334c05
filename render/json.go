package render

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// JSON writes the document "threadmap-map", version 1, a promise to other
// programs: render/schema has its schema. Keys may be added, never renamed.
func JSON(w io.Writer, d *Document, _ Options) error {
	j := newJSON(w)
	j.document(d)
	return j.end()
}

func (j *jsonWriter) document(d *Document) {
	m := d.topology()
	j.ways = m.Routing()
	j.object(func() {
		j.key("format").str("threadmap-map")
		j.key("version").int(1)
		j.scan(d.Scan)
		j.each("networks", len(m.Networks), func(i int) { j.network(m.Networks[i]) })
		j.each("nodes", len(m.Nodes), func(i int) { j.node(m.Nodes[i]) })
		j.key("links").open('[')
		for _, l := range m.Links {
			if l.A != nil && l.B != nil {
				j.newline()
				j.link(l)
			}
		}
		j.close(']')
		j.newline()
		j.findings(d.Findings)
		j.problems(d.Scan)
	})
}

// each writes a member that is a list, one element a line.
func (j *jsonWriter) each(key string, n int, write func(int)) {
	j.key(key).open('[')
	for i := range n {
		j.newline()
		write(i)
	}
	j.close(']')
	j.newline()
}

// clean writes text of a stranger, null for "".
func (j *jsonWriter) clean(s string) { j.text(text.Clean(s)) }

func (j *jsonWriter) scan(s *diag.Scan) {
	var none diag.Scan
	known := s != nil
	if !known {
		s = &none
	}
	j.key("scanned").object(func() {
		j.key("from").time(s.From)
		j.key("to").time(s.To)
		j.key("probe").clean(s.Probe)
	})
	if known {
		j.key("complete").bool(s.Complete)
	} else {
		j.key("complete").null()
	}
	j.newline()
	j.each("sources", len(s.Sources), func(i int) {
		x := s.Sources[i]
		j.object(func() {
			j.key("name").str(text.Clean(x.Name))
			j.key("via").clean(x.Via)
			j.key("state").str(word(string(x.State), "failed", "answered", "failed", "skipped"))
			j.key("hint").clean(x.Hint)
		})
	})
}

// word keeps enumerations to the words of the promise.
func word(s, other string, words ...string) string {
	for _, w := range words {
		if s == w {
			return s
		}
	}
	return other
}

func (j *jsonWriter) problems(s *diag.Scan) {
	j.key("problems").open('[')
	if s != nil {
		for _, p := range s.Problems {
			j.newline()
			j.object(func() {
				j.key("source").str(text.Clean(p.Source))
				j.key("target").str(text.Clean(p.Target))
				j.key("stage").str(word(string(p.Stage), "ask", "resolve", "connect", "handshake", "ask", "parse"))
				j.key("error").str(text.Clean(p.Text))
				j.key("hint").clean(p.Hint)
				j.key("partial").bool(p.Partial)
			})
		}
	}
	j.close(']')
}

func (j *jsonWriter) network(n *topology.Network) {
	j.object(func() {
		j.key("id").str(n.ID)
		j.key("ext_pan_id").text(n.ExtPANID.String())
		j.key("name").clean(n.Name)
		optInt(j.key("channel"), n.Channel)
		if p, ok := n.PANID.Get(); ok {
			j.key("pan_id").str(fmt.Sprintf("0x%04x", p))
		} else {
			j.key("pan_id").null()
		}
		j.key("mesh_local_prefix").prefix(n.MeshLocalPrefix)
		j.key("omr_prefixes").list(func() {
			for _, p := range n.OMRPrefixes {
				if p.IsValid() {
					j.prefix(p)
				}
			}
		})
		if t, ok := n.ActiveTimestamp.Get(); ok {
			j.key("active_timestamp").str(hex64(t))
		} else {
			j.key("active_timestamp").null()
		}
		j.key("partitions").list(func() {
			for _, p := range n.Partitions {
				j.object(func() {
					optInt(j.key("id"), p.ID)
					j.key("leader").ref(p.Leader)
				})
			}
		})
		j.conflicts(n.Conflicts)
		j.evidences(n.Evidence)
	})
}

func hex64(v uint64) string { return fmt.Sprintf("%016x", v) }

func optInt[T uint8 | uint16 | uint32 | int8](j *jsonWriter, o diag.Opt[T]) {
	if v, ok := o.Get(); ok {
		j.int(int64(v))
	} else {
		j.null()
	}
}

func optBool(j *jsonWriter, o diag.Opt[bool]) {
	if v, ok := o.Get(); ok {
		j.bool(v)
	} else {
		j.null()
	}
}

func (j *jsonWriter) prefix(p netip.Prefix) {
	if p.IsValid() {
		j.str(p.String())
	} else {
		j.null()
	}
}

func (j *jsonWriter) ref(n *topology.Node) {
	if n == nil {
		j.null()
	} else {
		j.str(n.ID)
	}
}

func (j *jsonWriter) node(n *topology.Node) {
	j.object(func() {
		j.key("id").str(n.ID)
		j.key("transport").str(word(string(n.Transport), "unknown", "thread", "wifi", "ethernet"))
		j.key("ext_addr").text(n.ExtAddr.String())
		if n.RLOC16.Known() {
			j.key("rloc16").str(n.RLOC16.String())
		} else {
			j.key("rloc16").null()
		}
		j.key("role").str(word(string(n.Role), "unknown", "leader", "router", "reed", "end-device", "sleepy-end-device", "detached"))
		optBool(j.key("border_router"), n.BorderRouter)
		j.key("parent").ref(n.Parent)
		j.key("parent_confidence").text(n.ParentConfidence.String())
		if n.Network != nil {
			j.key("network").str(n.Network.ID)
		} else {
			j.key("network").null()
		}
		optInt(j.key("partition"), n.Partition)
		j.key("name").clean(n.Name)
		j.key("names").list(func() {
			for _, x := range n.Names {
				j.object(func() {
					j.key("name").str(text.Clean(x.Value))
					j.key("source").str(text.Clean(x.Source))
					j.key("kind").str(x.Kind.String())
				})
			}
		})
		j.key("room").clean(n.Room)
		j.key("vendor").clean(n.Vendor)
		j.key("product").clean(n.Product)
		j.key("firmware").clean(n.Firmware)
		j.key("thread_version").text(threadVersion(n.ThreadVersion))
		j.key("matter").list(func() {
			for _, x := range n.Matter {
				j.object(func() {
					if x.Fabric == 0 {
						j.key("fabric").null()
					} else {
						j.key("fabric").str(hex64(x.Fabric))
					}
					j.key("node_id").str(hex64(x.Node))
				})
			}
		})
		j.key("addresses").list(func() {
			for _, a := range n.Addresses {
				if a.IsValid() {
					j.str(text.Clean(a.String())) // a zone is free text
				}
			}
		})
		j.icd(n.ICD)
		j.key("state").str(word(string(n.State), "unknown", "ok", "silent", "stale", "ghost"))
		j.paths(n)
		j.conflicts(n.Conflicts)
		j.evidences(n.Evidence)
		j.key("why").clean(n.Why)
		j.key("heard").bool(n.Heard)
		j.key("last_heard").time(n.LastHeard)
		optInt(j.key("battery_percent"), n.Battery)
		j.key("border_agent_id").clean(n.BorderAgentID)
		j.key("hosts").texts(n.Hosts)
		j.key("instances").texts(n.Instances)
		j.key("child_table").bool(n.ChildTable)
		j.key("router_table").bool(n.RouterTable)
	})
}

// paths writes the ways to the border routers, the cheapest first. What is not
// part of a mesh has none to compute.
func (j *jsonWriter) paths(n *topology.Node) {
	j.key("paths")
	if n.Network == nil {
		j.null()
		return
	}
	j.list(func() {
		for _, p := range j.ways.Cheapest(n) {
			j.object(func() {
				j.key("to").str(p.To.ID)
				j.key("hops").list(func() {
					for _, h := range p.Hops {
						j.str(h.ID)
					}
				})
				optInt(j.key("cost"), p.Cost)
				optInt(j.key("worst_lq"), p.Worst)
				j.key("confirmed").bool(p.Confirmed)
			})
		}
	})
}

func (j *jsonWriter) findings(found []doctor.Finding) {
	if found == nil {
		j.key("findings").null() // not examined
		return
	}
	j.key("findings").open('[')
	for i := range found {
		j.newline()
		j.finding(&found[i])
	}
	j.close(']')
}

func (j *jsonWriter) finding(f *doctor.Finding) {
	j.object(func() {
		j.key("rule").str(f.Rule)
		j.key("severity").str(word(f.Severity.String(), "info", "warning", "error"))
		j.key("confidence").str(word(f.Confidence.String(), "low", "medium", "high"))
		j.key("title").str(text.Clean(f.Title))
		j.key("detail").str(text.Clean(f.Detail))
		j.key("nodes").list(func() {
			for _, n := range f.Nodes {
				j.str(n.ID)
			}
		})
		j.key("next_step").str(text.Clean(f.NextStep))
		j.evidences(f.Evidence)
	})
}

func (j *jsonWriter) texts(l []string) {
	j.list(func() {
		for _, s := range l {
			j.str(text.Clean(s))
		}
	})
}

// threadVersion is "1.3", or "#7" for a number that Thread has not assigned.
func threadVersion(v diag.Opt[uint16]) string {
	n, ok := v.Get()
	if !ok {
		return ""
	}
	if s := diag.ThreadVersionName(n); s != "" {
		return s
	}
	return "#" + strconv.Itoa(int(n))
}

func (j *jsonWriter) icd(o diag.Opt[diag.ICD]) {
	x, ok := o.Get()
	if !ok {
		j.key("icd").null()
		return
	}
	j.key("icd").object(func() {
		if lit, ok := x.LIT.Get(); !ok {
			j.key("mode").null()
		} else if lit {
			j.key("mode").str("lit")
		} else {
			j.key("mode").str("sit")
		}
		optSeconds(j.key("idle_s"), x.IdleModeDuration)
		if d, ok := x.ActiveModeDuration.Get(); ok {
			j.key("active_ms").int(d.Milliseconds())
		} else {
			j.key("active_ms").null()
		}
	})
}

func optSeconds(j *jsonWriter, o diag.Opt[time.Duration]) {
	if d, ok := o.Get(); ok {
		j.seconds(d)
	} else {
		j.null()
	}
}

func (j *jsonWriter) conflicts(l []topology.Conflict) {
	j.key("conflicts").list(func() {
		for _, c := range l {
			j.object(func() {
				j.key("about").str(text.Clean(c.About))
				j.key("claims").list(func() {
					for _, x := range c.Claims {
						j.object(func() {
							j.key("value").str(text.Clean(x.Value))
							j.key("evidence")
							j.evidence(x.Evidence)
						})
					}
				})
			})
		}
	})
}

func (j *jsonWriter) evidences(l []topology.Evidence) {
	j.key("evidence").list(func() {
		for _, e := range l {
			j.evidence(e)
		}
	})
}

func (j *jsonWriter) evidence(e topology.Evidence) {
	j.object(func() {
		j.key("source").str(text.Clean(e.Source))
		j.key("via").clean(e.Via)
		j.key("at").time(e.At)
		j.key("by").text(e.By)
		j.key("field").clean(e.Field)
		j.key("cached").bool(e.Cached)
	})
}

func (j *jsonWriter) link(l *topology.Link) {
	j.object(func() {
		j.key("a").str(l.A.ID)
		j.key("b").str(l.B.ID)
		j.key("kind").str(word(string(l.Kind), "router", "child"))
		j.key("state").str(word(string(l.State), "stale", "ok", "one-way", "dying", "dead"))
		j.key("a_to_b").direction(l.AToB)
		j.key("b_to_a").direction(l.BToA)
		j.key("confidence").text(l.Confidence.String())
		optSeconds(j.key("age_s"), l.Age)
		j.evidences(l.Evidence)
	})
}

func (j *jsonWriter) direction(d topology.Direction) {
	j.object(func() {
		if lq, ok := view.LQ(d); ok {
			j.key("lq").int(int64(lq))
		} else {
			j.key("lq").null()
		}
		optInt(j.key("rssi"), d.RSSI)
		optInt(j.key("margin"), d.Margin)
		share(j.key("frame_error"), d.FrameError)
		share(j.key("message_error"), d.MessageError)
		j.key("second_hand").bool(d.SecondHand)
	})
}

// share writes a rate as 0..1 with four decimals, in integers. The wire's unit,
// 1/65535, can't hold a whole percent: more digits than these are its rounding.
func share(j *jsonWriter, o diag.Opt[diag.Rate]) {
	r, ok := o.Get()
	switch {
	case !ok:
		j.null()
	case r == 0xffff:
		j.raw("1")
	case r == 0:
		j.raw("0")
	default:
		// The ends are for what is all or nothing; a trace of either stays one.
		n := (int64(r)*10000 + 32767) / 65535
		j.raw(fmt.Sprintf("0.%04d", min(max(n, 1), 9999)))
	}
}
