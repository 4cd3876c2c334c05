package dump

import (
	"encoding/hex"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
)

// srpServer reads one entry of "srp server host" or "srp server service":
//
//	a0624a52-….default.service.arpa.
//	    deleted: false
//	    addresses: [fdcb:67e:9d73:5754:e77:8e63:24ae:3b5f]
//
// Hosts are written from ot-br-posix 2074, services from a command line of 2026.
// An entry is what a node registered about itself with its border
// router: names and addresses, no place in the mesh. Deleted ones only hold a
// name and are left out.
func (c *cli) srpServer() bool {
	head, _ := c.peek()
	full := strings.TrimSuffix(strings.TrimSuffix(head.text, ".service.arpa."), ".default")
	if full == "" || len(full) > 255 {
		return false
	}
	c.next()
	e := map[string]string{}
	for {
		l, ok := c.peek()
		if !ok || l.long || l.done() || l.fence() {
			break
		}
		key, v, ok := strings.Cut(l.text, ":")
		if !ok || !srpKeys[key] && l.indent <= head.indent {
			break
		}
		e[key] = strings.TrimSpace(v)
		c.next()
	}
	if e["deleted"] == "" {
		return true // a name in a story
	}
	c.found = true
	if e["deleted"] != "false" {
		return true
	}
	if e["addresses"] == "" {
		c.problem(head, "entry of the SRP server is cut off: skipped")
		return true
	}
	var r diag.Report
	host := full
	if h, ok := e["host"]; ok {
		host = strings.TrimSuffix(strings.TrimSuffix(h, ".service.arpa."), ".default")
		c.srpService(&r, full, e["TXT"])
	}
	r.Hosts = []string{cleanName(host)}
	if x, err := diag.ParseExtAddr(host); err == nil && len(host) == 16 && x != 0 {
		r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessHost}}
	}
	for _, s := range strings.Split(strings.Trim(e["addresses"], "[]"), ",") {
		if a, err := netip.ParseAddr(strings.TrimSpace(s)); err == nil {
			r.Addresses = withAddress(r.Addresses, a)
		}
	}
	r.Source, r.Session = sourceText, c.out.in.session // what it runs over is not told
	c.out.report(r)
	return true
}

var srpKeys = map[string]bool{
	"deleted": true, "addresses": true, "subtypes": true, "port": true, "priority": true, "weight": true,
	"ttl": true, "lease": true, "key-lease": true, "TXT": true, "host": true, "key lease": true,
	"remaining lease": true, "remaining key-lease": true,
}

var matterInstance = regexp.MustCompile(`^([0-9A-Fa-f]{16})-([0-9A-Fa-f]{16})$`)

// srpService reads "INSTANCE._service._proto" and its TXT record.
func (c *cli) srpService(r *diag.Report, name, txt string) {
	i := strings.Index(name, "._")
	if i <= 0 {
		return
	}
	instance, service := name[:i], name[i+1:]
	r.Instances = []string{cleanName(instance)}
	if service == "_hap._udp" || service == "_hap._tcp" { // HomeKit accessories are called what their owner calls them
		r.Names = []diag.Name{{Value: cleanName(instance), Kind: diag.NameInstance}}
	}
	if service != "_matter._tcp" {
		return
	}
	if m := matterInstance.FindStringSubmatch(instance); m != nil {
		fabric, _ := strconv.ParseUint(m[1], 16, 64)
		node, _ := strconv.ParseUint(m[2], 16, 64)
		r.Matter = []diag.MatterID{{Fabric: fabric, Node: node}}
	}
	var icd diag.ICD
	for _, kv := range strings.Split(strings.Trim(txt, "[]"), ",") {
		key, v, _ := strings.Cut(strings.TrimSpace(kv), "=")
		b, err := hex.DecodeString(v) // values are printed in hexadecimal
		if err != nil || len(b) > 10 {
			continue
		}
		ms, err := strconv.ParseUint(string(b), 10, 32)
		if err != nil {
			continue
		}
		d := diag.Some(time.Duration(ms) * time.Millisecond)
		switch key {
		case "SII":
			icd.SessionIdleInterval = d
		case "SAI":
			icd.SessionActiveInterval = d
		case "SAT":
			icd.SessionActiveThreshold = d
		case "ICD":
			icd.LIT = diag.Some(ms == 1)
		}
	}
	if icd != (diag.ICD{}) {
		r.ICD = diag.Some(icd)
	}
}
