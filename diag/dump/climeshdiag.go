package dump

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
)

// meshdiagTopology reads one router of "meshdiag topology [ip6-addrs]
// [children]", in the order of a captured command line of 2025:
//
//	id:26 rloc16:0x6800 ext-addr:0e01010101010101 ver:5 - me - br
//	    3-links:{ 23 }
//	    2-links:{ 16 }
//	    ip6-addrs:
//	        fd00:db8:a0:0:0:ff:fe00:6800
//	    children:
//	        rloc16:0x5c02 lq:3, mode:rdn
//
// "N-links" names the routers that this router hears with quality N: the
// incoming quality of the rows of its Route64 (OpenThread, mesh_diag.cpp and
// the CLI reference; the capture's "networkdiagnostic get" of the same nodes
// agrees, asymmetric links included). So it is LinkQualityIn here, and what the
// others hear of it stays unknown. A child's "lq" is what its parent hears of
// it, 0 for unknown.
func (c *cli) meshdiagTopology() {
	head, _ := c.peek()
	c.next()
	c.found = true
	words := strings.Split(head.text, " - ")
	f := fields(words[0])
	id, err := strconv.ParseUint(f["id"], 10, 8)
	rloc, ok := parseRLOC16(f["rloc16"])
	x, err2 := diag.ParseExtAddr(f["ext-addr"])
	if err != nil || !ok || err2 != nil || id > diag.MaxRouterID || rloc != diag.RouterRLOC16(uint8(id)) {
		c.problem(head, "\"meshdiag topology\" names a router whose id, rloc16 and ext-addr make none: skipped")
		return
	}
	r := diag.Report{RLOC16: rloc, ThreadVersion: version(f["ver"]), Role: diag.RoleRouter, Routes: []diag.Route{}}
	if x != 0 {
		r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}
	}
	for _, w := range words[1:] {
		switch strings.TrimSpace(w) {
		case "me":
			c.identify(x, rloc)
		case "parent":
			c.me.kid, c.me.used = true, true
			c.me.rep.Neighbors = merged(c.me.rep.Neighbors, []diag.Neighbor{{ExtAddr: x, RLOC16: rloc}})
		case "leader":
			r.Role = diag.RoleLeader
		case "br": // older versions don't say, so its absence means nothing
			r.BorderRouter = diag.Some(true)
		}
	}
	for {
		l, ok := c.peek()
		if !ok || l.ends() || strings.HasPrefix(l.text, "id:") {
			break
		}
		// What later versions say of a router stands under it, too, and is passed over.
		if l.text != "" && !c.meshdiagLine(l, &r) && (l.indent <= head.indent || l.command() != "") {
			break
		}
		c.next()
	}
	// "Done" ends the list; where it is missing, others may have stood behind.
	l, more := c.peek()
	goesOn := more && strings.HasPrefix(l.text, "id:")
	r.Cut = !goesOn && !(more && l.done())
	c.supersede(x)
	n := len(c.out.reports)
	c.report(r)
	if len(c.out.reports) > n { // not one too many
		c.list.at = append(c.list.at, n)
	}
	if x != 0 {
		c.lists[x] = c.list
	}
	if !goesOn {
		c.list = &meshList{}
	}
}

// A meshList is one answer of "meshdiag topology".
type meshList struct {
	at []int // indices of its reports
}

// supersede makes the list above that has router x, too, the older one: of when is
// not known, but before, and the mesh may have been another then.
func (c *cli) supersede(x diag.ExtAddr) {
	l := c.lists[x]
	if l == nil || l == c.list {
		return
	}
	for _, i := range l.at {
		c.out.reports[i].At = time.Time{}
	}
	l.at = nil
}

// meshdiagLine reads a line under a router. It returns false for what is none.
func (c *cli) meshdiagLine(l cliLine, r *diag.Report) bool {
	t := l.text
	if len(t) > 7 && strings.HasPrefix(t[1:], "-links:{") {
		lq := small(t[:1], 3)
		list, closed := strings.CutSuffix(strings.TrimSpace(t[len("3-links:{"):]), "}")
		if !closed || !lq.Known() {
			c.problem(l, "list of links is cut off: skipped")
			return true
		}
		for _, w := range strings.Fields(list) {
			id, err := strconv.ParseUint(w, 10, 8)
			if err != nil || id > diag.MaxRouterID || len(r.Routes) > diag.MaxRouterID {
				c.problem(l, "list of links holds what is no router id: that one is skipped")
				continue
			}
			r.Routes = append(r.Routes, diag.Route{RouterID: uint8(id), LinkQualityIn: lq})
		}
		return true
	}
	switch t {
	case "ip6-addrs:":
		return true
	case "children:", "children: none":
		r.Children = []diag.Neighbor{}
		return true
	}
	if a, err := netip.ParseAddr(t); err == nil {
		r.Addresses = withAddress(r.Addresses, a)
		return true
	}
	if !strings.HasPrefix(t, "rloc16:0x") || strings.Contains(t, "ext-addr:") {
		return false
	}
	words := strings.Split(t, " - ")
	f := fields(strings.ReplaceAll(words[0], ",", " "))
	rloc, ok := parseRLOC16(f["rloc16"])
	m, ok2 := parseMode(f["mode"])
	if !ok || !ok2 || !rloc.Known() || len(r.Children) >= maxRows {
		c.problem(l, "child of \"meshdiag topology\" is cut off: skipped")
		return true
	}
	n := diag.Neighbor{RLOC16: rloc, Mode: diag.Some(m)}
	if lq := small(f["lq"], 3); lq != diag.Some(uint8(0)) {
		n.LinkQualityIn = lq
	}
	r.Children = append(r.Children, n)
	if slices.ContainsFunc(words[1:], func(w string) bool { return strings.TrimSpace(w) == "me" }) {
		c.identify(0, rloc)
		c.me.kid = true
	}
	return true
}

// meshdiagNone reads the answer of a query that found nobody: "Done" at once.
func (c *cli) meshdiagNone(name, arg string) {
	l, _ := c.value()
	if !l.done() {
		return
	}
	rloc, _ := parseRLOC16(arg)
	r := diag.Report{RLOC16: rloc}
	if name == "meshdiag childtable" {
		r.Children = []diag.Neighbor{}
	} else {
		r.Neighbors = []diag.Neighbor{}
	}
	c.report(r)
}

// askedOf is the router that the last command asked about, where it was one of
// commands. What follows is its answer, and that of no other.
func (c *cli) askedOf(commands ...string) (router diag.RLOC16) {
	for _, command := range commands {
		if arg, ok := strings.CutPrefix(c.last, command); ok {
			router, _ = parseRLOC16(arg)
		}
	}
	c.last, c.found = "", true
	return router
}

// meshdiagRows reads the rows of "meshdiag childtable RLOC16" and "meshdiag
// routerneighbortable RLOC16", from a captured command line of 2025. Whose
// table it is stands only in the command; without it the speaker is unknown.
func (c *cli) meshdiagRows() {
	r := diag.Report{RLOC16: c.askedOf("meshdiag childtable ", "meshdiag routerneighbortable ")}
	for {
		l, ok := c.peek()
		if !ok || l.done() || !strings.HasPrefix(l.text, "rloc16:0x") {
			break
		}
		c.next()
		n, child, err := c.meshdiagRow(l)
		switch {
		case err != "":
			c.problem(l, "%s", err)
		case len(r.Children)+len(r.Neighbors) >= maxRows:
			c.problem(l, "table has more than %d rows: skipped", maxRows)
		case child:
			r.Children = append(r.Children, n)
		default:
			r.Neighbors = append(r.Neighbors, n)
		}
	}
	if r.Children != nil || r.Neighbors != nil {
		c.report(r)
	}
	if l, ok := c.peek(); ok && l.failed() {
		c.problem(l, "the table above ended with an error of OpenThread's: rows may be missing")
	}
}

// meshdiagRow reads the lines of a row, of which head is the first. A row of a
// child has a timeout.
func (c *cli) meshdiagRow(head cliLine) (n diag.Neighbor, child bool, fault string) {
	f := fields(head.text)
	rloc, ok := parseRLOC16(f["rloc16"])
	x, err := diag.ParseExtAddr(f["ext-addr"])
	n = diag.Neighbor{ExtAddr: x, RLOC16: rloc, ThreadVersion: version(f["ver"])}
	named := ok && err == nil && (x != 0 || rloc.Known())
	complete, heard := false, false
	for {
		l, more := c.peek()
		if !more || l.ends() || l.command() != "" || strings.HasPrefix(l.text, "rloc16:") {
			// Before 2024 there was no "conn-time": then what follows shows that the row is whole.
			complete = complete || heard && more && (l.done() || l.fence() || strings.HasPrefix(l.text, "rloc16:0x"))
			break
		}
		t := l.text
		v := fields(t)
		switch {
		case t == "":
		case strings.HasPrefix(t, "timeout:"):
			child = true
			n.Timeout, n.Age, n.Supervision = seconds(v["timeout"]), seconds(v["age"]), seconds(v["supvn"])
			if q, err := strconv.ParseUint(v["q-msg"], 10, 16); err == nil {
				n.QueuedMessages = diag.Some(uint16(q))
			}
		case strings.HasPrefix(t, "rx-on:"):
			if v["rx-on"] != "" && v["type"] != "" && v["full-net"] != "" {
				n.Mode = diag.Some(diag.Mode{RxOnWhenIdle: v["rx-on"] == "yes", FullThreadDevice: v["type"] == "ftd", FullNetworkData: v["full-net"] == "yes"})
			}
		case strings.HasPrefix(t, "rss - "):
			n.AverageRSSI, n.LastRSSI, n.LinkMargin = dBm(v["ave"]), dBm(v["last"]), small(v["margin"], 255)
		case strings.HasPrefix(t, "err-rate - "):
			heard = true
			n.FrameErrorRate, n.MessageErrorRate = percentage(v["frame"]), percentage(v["msg"])
		case strings.HasPrefix(t, "conn-time:"):
			n.ConnectedFor = clock(v["conn-time"])
			complete = true
		case strings.HasPrefix(t, "csl - "):
			if v["sync"] == "yes" || v["sync"] == "no" {
				n.CSLSynchronized = diag.Some(v["sync"] == "yes")
			}
		default:
			return n, child, rowFault(named && complete)
		}
		c.next()
	}
	return n, child, rowFault(named && complete)
}

func rowFault(whole bool) string {
	if whole {
		return ""
	}
	return "row of a \"meshdiag\" table is cut off or names nobody: skipped"
}

// meshdiagChildIP6 reads "meshdiag childip6 RLOC16": addresses that children
// registered with their parent.
func (c *cli) meshdiagChildIP6() {
	r := diag.Report{RLOC16: c.askedOf("meshdiag childip6 ")}
	for {
		l, ok := c.peek()
		if !ok {
			break
		}
		if s, is := strings.CutPrefix(l.text, "child-rloc16:"); is {
			rloc, ok := parseRLOC16(strings.TrimSpace(s))
			if !ok || !rloc.Known() || len(r.Children) >= maxRows {
				c.problem(l, "line of \"meshdiag childip6\" names no child: what follows is skipped")
				c.next()
				break
			}
			r.Children = append(r.Children, diag.Neighbor{RLOC16: rloc})
		} else {
			a, err := netip.ParseAddr(l.text)
			if err != nil || len(r.Children) == 0 {
				break
			}
			n := &r.Children[len(r.Children)-1]
			n.Addresses = withAddress(n.Addresses, a)
		}
		c.next()
	}
	r.Children = c.placed(r.RLOC16, r.Children)
	if r.Children != nil {
		c.report(r)
	}
}

// placed puts addresses of children into the child table of their parent that
// the paste has already shown, since a list of addresses is no child table: it
// lacks full devices. It returns the children that no table has.
func (c *cli) placed(parent diag.RLOC16, children []diag.Neighbor) (left []diag.Neighbor) {
	for _, n := range children {
		found := false
		for i := len(c.out.reports) - 1; i >= 0 && !found && parent.Known(); i-- {
			r := &c.out.reports[i]
			if r.Session != c.out.in.session || r.RLOC16 != parent {
				continue
			}
			if k := slices.IndexFunc(r.Children, func(m diag.Neighbor) bool { return m.RLOC16 == n.RLOC16 }); k >= 0 {
				r.Children[k].Addresses, found = n.Addresses, true
			}
		}
		if !found {
			left = append(left, n)
		}
	}
	return left
}

// fields reads words "key:value" out of a line; later ones of a key count not.
func fields(t string) map[string]string {
	out := map[string]string{}
	for i, w := range strings.Fields(t) {
		if i >= 16 {
			break
		}
		if k, v, ok := strings.Cut(w, ":"); ok {
			if _, twice := out[k]; !twice {
				out[k] = v
			}
		}
	}
	return out
}

// parseMode reads "rdn", "-" for no flag. "s" is of old versions.
func parseMode(s string) (m diag.Mode, ok bool) {
	if s == "-" {
		return m, true
	}
	for _, c := range s {
		switch c {
		case 'r':
			m.RxOnWhenIdle = true
		case 'd':
			m.FullThreadDevice = true
		case 'n':
			m.FullNetworkData = true
		case 's':
		default:
			return m, false
		}
	}
	return m, s != ""
}

// percentage reads "11.51%" exactly: hundredths of a percent.
func percentage(s string) diag.Opt[diag.Rate] {
	s, ok := strings.CutSuffix(s, "%")
	whole, part, _ := strings.Cut(s, ".")
	w, err := strconv.ParseUint(whole, 10, 8)
	if !ok || err != nil || w > 100 || len(part) > 2 {
		return diag.Opt[diag.Rate]{}
	}
	h := uint64(0)
	if part != "" {
		if h, err = strconv.ParseUint((part + "0")[:2], 10, 8); err != nil {
			return diag.Opt[diag.Rate]{}
		}
	}
	return diag.Some(diag.Rate(min((w*100+h)*65535/10000, 65535)))
}

// exponent turns the timeout of a Child Table entry into time: 2^(e-4) seconds,
// rounded up (Thread 10.11.4.5).
func exponent(e uint64) time.Duration {
	if e < 4 {
		return time.Second
	}
	return time.Duration(1) << (e - 4) * time.Second
}
