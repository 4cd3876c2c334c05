package dump

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// plainCommands are those without arguments that are understood as commands
// without "ot-ctl" before them. Tables show themselves; they are here so that
// they are not taken for the answer of the command above.
var plainCommands = []string{
	"channel", "child list", "child table", "childip", "counters mac", "counters mle", "dataset active", "eui64",
	"extaddr", "extpanid", "ipaddr", "ipaddr -v", "leaderdata", "mode", "neighbor list", "neighbor table",
	"netdata show", "networkkey", "networkname", "panid", "parent", "partitionid", "partitionid get", "pskc", "rloc16",
	"router list", "router table", "srp server host", "srp server service", "state",
	"meshdiag topology", "version", "dataset active -x", "masterkey",
}

// argCommands are those with arguments, and what an argument may look like.
var argCommands = []struct {
	name string
	arg  func(string) bool
}{
	{"child", func(s string) bool {
		_, ok := childNumber(s)
		return ok
	}},
	{"meshdiag topology", func(s string) bool { return s == "children" || s == "ip6-addrs" }},
	{"meshdiag childtable", isRLOC16},
	{"meshdiag routerneighbortable", isRLOC16},
	{"meshdiag childip6", isRLOC16},
	{"networkdiagnostic get", func(s string) bool {
		if _, err := strconv.ParseUint(s, 10, 8); err == nil {
			return true
		}
		_, err := netip.ParseAddr(s)
		return err == nil
	}},
}

func isRLOC16(s string) bool {
	_, ok := parseRLOC16(s)
	return ok
}

// knownCommand reports whether t is, to the word, a command of these lists.
func knownCommand(t string) bool {
	if slices.Contains(plainCommands, t) {
		return true
	}
	for _, c := range argCommands {
		if args, ok := strings.CutPrefix(t, c.name+" "); ok {
			return !slices.ContainsFunc(strings.Fields(args), func(a string) bool { return !c.arg(a) })
		}
	}
	return false
}

// run reads the answer of those commands whose answer would not be known
// without the command.
func (c *cli) run(cmd string) {
	name, arg := cmd, ""
	for _, k := range argCommands {
		if a, ok := strings.CutPrefix(cmd, k.name+" "); ok {
			name, arg = k.name, a
		}
	}
	switch name {
	case "extaddr":
		c.answer(c.extaddr)
	case "rloc16":
		c.answer(c.rloc16)
	case "eui64":
		c.answer(c.eui64)
	case "state":
		c.answer(c.state)
	case "mode":
		c.sure(c.mode)
	case "extpanid":
		c.answer(c.extpanid)
	case "panid":
		c.answer(c.panid)
	case "channel":
		c.sure(c.channel)
	case "networkname":
		c.sure(c.networkName)
	case "partitionid", "partitionid get":
		c.sure(c.partitionID)
	case "child list":
		c.sure(c.childList)
	case "ipaddr", "ipaddr -v":
		c.addresses()
	case "leaderdata":
		c.leaderData()
	case "dataset active":
		c.dataset()
	case "parent":
		c.parent()
	case "counters mac", "counters mle":
		c.counters()
	case "childip":
		c.childIP()
	case "child":
		c.child()
	case "netdata show":
		c.netdata()
	case "meshdiag childtable", "meshdiag routerneighbortable":
		c.meshdiagNone(name, arg)
	}
}
