package dump

import (
	"slices"
	"strings"
	"time"

	"threadmap/diag"
)

// readCLI reads text copied from OpenThread's command line: many commands in
// one paste, with prompts or without, out of a terminal, "ot-ctl", a mail or a
// page of Markdown with a story around it. What is not understood is passed
// over; a row that was cut off is skipped with a problem that names its line.
//
// The tables speak for the node whose command line it was. Who that is, only
// the paste can say: "extaddr", "rloc16", the row of itself in "router table",
// "- me" in "meshdiag topology". When a paste changes its mind about that, or
// shows a table twice, another speaker begins and nothing is carried over.
//
// Written from pastes of public threads (OpenThread 3094 and 8726, ot-br-posix
// 2074, Home Assistant add-ons 4671, an article on two ESP border routers) and
// from captured command lines of OpenThread of 2025 and 2026 (testdata/ot-*).
func readCLI(in *input, out *output) bool {
	c := &cli{cliScanner: newCLIScanner(in.body), out: out}
	c.me, c.list, c.lists = newSpeaker(), &meshList{}, map[diag.ExtAddr]*meshList{}
	c.before = map[diag.ExtAddr][]int{}
	for {
		l, ok := c.peek()
		if !ok {
			break
		}
		if !c.block(l) {
			c.next()
		}
	}
	c.flush()
	if len(c.rest) > 0 {
		c.out.problem(sourceText, "the text has more than %d lines: the rest is not read", maxLines)
	}
	return c.found
}

// A cli is the state of reading one paste.
type cli struct {
	*cliScanner
	out    *output
	me     *speaker
	last   string                     // the last command, while nothing else has begun
	list   *meshList                  // of "meshdiag topology", the one at hand
	lists  map[diag.ExtAddr]*meshList // the last that names a router
	before map[diag.ExtAddr][]int     // the reports of a speaker
	logged int                        // 1 + the index of the report of the log, 0 for none
	found  bool                       // something of OpenThread's was seen
}

// block reads what begins at l. It returns false, and has moved nothing, where
// l means nothing.
func (c *cli) block(l cliLine) bool {
	t := l.text
	switch {
	case l.long:
		c.problem(l, "is longer than %d octets: skipped", maxLine)
		return false
	case l.done() || l.failed():
		c.last = ""
		return false
	case l.passable() || l.fence():
		return false
	case strings.Contains(t, logRouterTable):
		return c.logTable(l)
	case strings.HasPrefix(t, "|"):
		return c.table(l)
	case strings.HasPrefix(t, "DIAG_GET.rsp"), strings.HasPrefix(t, "DIAG_GET.ans"):
		c.networkDiagnostic()
		return true
	case strings.HasPrefix(t, "id:") && strings.Contains(t, " rloc16:0x"):
		c.meshdiagTopology()
		return true
	case strings.HasPrefix(t, "rloc16:0x") && strings.Contains(t, " ext-addr:"):
		c.meshdiagRows()
		return true
	case strings.HasPrefix(t, "child-rloc16:"):
		c.meshdiagChildIP6()
		return true
	case strings.HasSuffix(t, ".service.arpa."):
		return c.srpServer()
	case strings.HasPrefix(t, "Active Timestamp:"):
		c.dataset()
		return true
	case strings.HasPrefix(t, "Partition ID:"):
		c.leaderData()
		return true
	}
	if ids, cut, ok := rlocList(t); ok {
		c.neighborList(l, ids, cut)
		return true
	}
	cmd := l.command()
	if cmd == "" {
		return false
	}
	c.next()
	c.last = cmd
	c.run(cmd)
	return true
}

func (c *cli) problem(l cliLine, format string, args ...any) {
	c.out.problem(sourceText, "%s", lineError(l.n, format, args...))
}

// report keeps a report about a Thread node of this paste.
func (c *cli) report(r diag.Report) {
	c.found = true
	r.Transport = diag.TransportThread
	r.Source, r.Session = sourceText, c.out.in.session
	c.out.report(r)
}

// A speaker is the node whose command line is shown.
type speaker struct {
	rep  diag.Report
	ext  diag.ExtAddr    // its extended address, as far as the paste says
	told map[string]bool // tables already taken
	used bool            // there is something to report
	kid  bool            // "state" said child
}

func newSpeaker() *speaker { return &speaker{told: map[string]bool{}} }

// flush ends the speaker at hand.
func (c *cli) flush() {
	me := c.me
	c.me = newSpeaker()
	if !me.used {
		return
	}
	if me.told[tableNeighbor] && me.rep.Role.Routes() && me.rep.Children == nil {
		me.rep.Children = []diag.Neighbor{} // a router's neighbor table would have shown them
	}
	me.rep.ChildrenPartial = len(me.rep.Children) > 0 && !me.told[tableChild] && !me.told["child list"] && !me.told[tableNeighbor]
	n := len(c.out.reports)
	c.report(me.rep)
	if me.ext == 0 || len(c.out.reports) == n {
		return
	}
	for _, i := range c.before[me.ext] { // what it said above was before, when is not known
		c.out.reports[i].At = time.Time{}
	}
	c.before[me.ext] = append(c.before[me.ext], n)
}

// identify takes in who the speaker is. Where that contradicts what was said,
// another speaker begins.
func (c *cli) identify(ext diag.ExtAddr, rloc diag.RLOC16) {
	if ext != 0 && c.me.ext != 0 && ext != c.me.ext ||
		rloc.Known() && c.me.rep.RLOC16.Known() && rloc != c.me.rep.RLOC16 {
		c.flush()
	}
	if ext != 0 {
		c.me.ext = ext
		if claim := (diag.AddrClaim{ExtAddr: ext, Witness: diag.WitnessDiagnostic}); !slices.Contains(c.me.rep.Own, claim) {
			c.me.rep.Own = append(c.me.rep.Own, claim)
		}
	}
	if rloc.Known() {
		c.me.rep.RLOC16 = rloc
	}
}

// begin makes ready for a table of the speaker's: a second one of its kind
// comes from another time or another node. own is what the table itself says
// about the speaker, zero for nothing.
func (c *cli) begin(table string, own diag.ExtAddr) {
	me := c.me
	same := own != 0 && own == me.ext
	switch {
	case own != 0 && me.ext != 0 && !same:
		c.flush()
	case me.told[table]:
		n := len(c.out.reports)
		c.flush()
		if same {
			c.me.rep.Own = slices.Clone(me.rep.Own)
			for i := n; i < len(c.out.reports); i++ { // of the same node, before
				c.out.reports[i].At = time.Time{}
			}
		}
	}
	if own != 0 {
		c.me.ext = own
	}
	c.me.told[table], c.me.used = true, true
	c.found = true
}
