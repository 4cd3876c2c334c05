package restdoc

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"threadmap/diag"
)

// Read reads a document of any kind. Problems of single fields make one line
// for each entry; a document that ends in the middle gives the entries before.
func Read(body []byte, ctx Context) Document {
	r := reading{ctx: ctx}
	if len(body) > MaxBytes {
		r.problem(fmt.Sprintf("the document is larger than %d MiB", MaxBytes>>20), "")
		return r.doc
	}
	r.doc.Kind = Sniff(body)
	r.document(body, 3)
	return r.doc
}

// A reading is the state of one call of Read.
type reading struct {
	ctx   Context
	doc   Document
	seen  map[diag.ExtAddr]int // reports of devices that say more than an address
	muted int
}

func (r *reading) problem(text, hint string) {
	if len(r.doc.Problems) >= maxProblems {
		r.muted++
		r.doc.Problems[maxProblems-1].Text = fmt.Sprintf("%d more lines like these were left out", r.muted+1)
		r.doc.Problems[maxProblems-1].Hint = ""
		return
	}
	r.doc.Problems = append(r.doc.Problems, diag.Problem{
		Source: r.ctx.Source, Target: r.ctx.Via, Stage: diag.StageParse, Text: text, Hint: hint, Partial: true,
	})
}

func (r *reading) document(v value, frames int) {
	switch r.doc.Kind {
	case KindNode, KindDevices, KindDiagnostics:
		r.frame(v, frames)
	case KindDataset:
		if !json.Valid(v) {
			// The text is not quoted: it may hold keys.
			r.problem("the dataset is not JSON, or it ends in the middle", "")
			return
		}
		r.dataset(v)
	case KindError:
		r.problem(errorText(v), "")
	case KindUnknown:
		why := "none of the documents of an OpenThread Border Router"
		if first(v) == 0 {
			why = "empty"
		}
		r.problem("the document is "+why, "")
	}
}

// frame takes the entries out of {"data":…}, {"result":…} or a bare list.
func (r *reading) frame(v value, frames int) {
	switch first(v) {
	case '[':
		r.list(v)
	case '{':
		var inner, attributes value
		var typ, message string
		failed := false
		err := members(v, func(key string, v value) bool {
			switch key {
			case "data", "result":
				if c := first(v); c == '[' || c == '{' {
					inner = v
				}
			case "attributes":
				attributes = v
			case "type":
				typ, _ = text(v)
			case "error":
				failed = string(v) != "0" && string(v) != "null" && string(v) != "false"
			case "message":
				message = clip(v)
			case "meta":
				r.meta(v)
			}
			return true
		})
		switch {
		case inner != nil && frames > 0:
			if failed {
				r.problem(fmt.Sprintf("the border router says that asking failed: %s", message), "")
			}
			r.frame(inner, frames-1)
			if err != nil && json.Valid(inner) { // a broken inner part has said so itself
				r.problem(err.Error(), "")
			}
		case attributes != nil:
			r.entry(v, attributes, typ)
		default:
			r.entry(v, v, typ)
		}
	default:
		r.problem(errSyntax.Error(), "")
	}
}

// list reads a bare list, or the resources of {"data":[…]}.
func (r *reading) list(v value) {
	err := elements(v, maxEntries, func(v value) bool {
		var attributes value
		var typ string
		if first(v) == '{' {
			members(v, func(key string, v value) bool {
				switch key {
				case "attributes":
					attributes = v
				case "type":
					typ, _ = text(v)
				}
				return true
			})
		}
		if attributes == nil {
			attributes = v
		}
		r.entry(v, attributes, typ)
		return true
	})
	if err != nil {
		r.problem(fmt.Sprintf("after %d entries: %v", r.doc.Entries, err), "")
	}
}

// entry reads one node. whole is checked before anything in it is believed.
func (r *reading) entry(whole, v value, typ string) {
	n := r.doc.Entries
	r.doc.Entries++
	if !json.Valid(whole) {
		r.problem(fmt.Sprintf("entry %d is not JSON, or it ends in the middle", n+1), "")
		return
	}
	if first(v) != '{' {
		r.problem(fmt.Sprintf("entry %d: want an object, got %s", n+1, clip(v)), "")
		return
	}
	e := newEntry(r.ctx)
	switch {
	case r.doc.Kind == KindDiagnostics:
		e.diagnostics(v)
	case r.doc.Kind == KindNode || typ == typeBorderRouter || hasKey(v, "baid"):
		e.node(v)
		e.r.Cached = r.doc.Kind == KindDevices
	default:
		e.device(v)
	}
	e.stamp()
	if e.f.first != "" {
		who := ""
		if s := e.who(); s != "" {
			who = " (" + s + ")"
		}
		r.problem(fmt.Sprintf("entry %d%s: %s", n+1, who, e.f.String()), "")
	}
	if e.lost != "" {
		r.doc.Lost = append(r.doc.Lost, Loss{ExtAddr: e.ext(), RLOC16: e.r.RLOC16, Text: e.lost})
	}
	if !e.said {
		return
	}
	if r.doc.Kind == KindDevices && r.again(e) {
		return
	}
	r.doc.Reports = append(r.doc.Reports, e.r)
}

// again reports whether a device entry repeats one that says more: after its
// extended address changed, OTBR lists itself a second time, under the old id,
// with the new address and nothing else.
func (r *reading) again(e *entry) bool {
	x := e.ext()
	if x == 0 {
		return false
	}
	if r.seen == nil {
		r.seen = map[diag.ExtAddr]int{}
	}
	i, ok := r.seen[x]
	if !ok {
		r.seen[x] = len(r.doc.Reports)
		return false
	}
	if e.bare() {
		return true
	}
	if bare(&r.doc.Reports[i]) {
		r.doc.Reports[i] = e.r
		return true
	}
	return false
}

func hasKey(v value, name string) (found bool) {
	members(v, func(key string, _ value) bool { found = key == name; return !found })
	return found
}

// meta reads meta.collection.
func (r *reading) meta(v value) {
	members(v, func(key string, v value) bool {
		if key == "collection" {
			members(v, func(key string, v value) bool {
				n, ok := unsigned(v, 1<<20)
				switch {
				case !ok:
				case key == "offset":
					r.doc.Offset = int(n)
				case key == "total":
					r.doc.Total, r.doc.Pages = int(n), true
				}
				return true
			})
		}
		return true
	})
}

// errorText is what {"title","status","detail"} says.
func errorText(v value) string {
	var title, status, detail string
	members(v, func(key string, v value) bool {
		switch key {
		case "title":
			title = clip(v)
		case "status":
			status = clip(v)
		case "detail":
			if s, _ := text(v); s != "" {
				detail = ": " + clip(v)
			}
		}
		return true
	})
	return fmt.Sprintf("the border router answered %s %s%s", status, title, detail)
}

// An entry is a report in the making.
type entry struct {
	r       diag.Report
	f       faults
	ctx     Context
	said    bool      // something of the node was said, not only of the frame
	created time.Time // by the border router's clock
	lost    string
}

func newEntry(ctx Context) *entry {
	e := &entry{ctx: ctx}
	e.r = diag.Report{Source: ctx.Source, Via: ctx.Via, Session: ctx.Session, At: ctx.At, Transport: diag.TransportThread}
	e.r.Network.ExtPANID, e.r.Network.Name = ctx.Network.ExtPANID, ctx.Network.Name
	return e
}

// stamp gives the report a time where the caller had none.
func (e *entry) stamp() {
	if e.r.At.IsZero() {
		e.r.At = e.created
	}
}

func (e *entry) created3339(v value) {
	s, ok := text(v)
	if !ok || len(s) > 40 {
		e.f.add("created", "a time", v)
		return
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		e.f.add("created", "a time", v)
		return
	}
	e.created = t.UTC()
}

func (e *entry) own(field string, v value) {
	if x := diag.ExtAddr(e.f.hex64(field, v)); x != 0 {
		e.r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}
		e.said = true
	}
}

func (e *entry) ext() diag.ExtAddr {
	if len(e.r.Own) == 0 {
		return 0
	}
	return e.r.Own[0].ExtAddr
}

// who names the node for messages.
func (e *entry) who() string {
	if x := e.ext(); x != 0 {
		return x.String()
	}
	if e.r.RLOC16.Known() {
		return e.r.RLOC16.String()
	}
	return ""
}

// bare reports whether the entry says nothing but an address.
func (e *entry) bare() bool { return bare(&e.r) }

func bare(r *diag.Report) bool {
	return r.Role == diag.RoleUnknown && !r.RLOC16.Known() && len(r.Addresses) == 0 && len(r.Hosts) == 0
}

// address adds a to the speaker's own addresses, once.
func (e *entry) address(a ...netip.Addr) {
	for _, x := range a {
		if !slices.Contains(e.r.Addresses, x) {
			e.r.Addresses = append(e.r.Addresses, x)
		}
	}
}
