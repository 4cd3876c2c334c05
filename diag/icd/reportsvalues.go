package icd

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
)

// Who may tell of a device's attributes, by the name of the source.
const (
	sourceHA     = "home-assistant"
	sourceServer = "matter-server"
	sourceMatter = "matter" // our own fabric
	sourceMDNS   = "mdns"
)

// own takes what a report says of the device itself.
func (c *collection) own(r *diag.Report) {
	if !c.isDevice(r) {
		return
	}
	at := c.when(r)
	switch r.Source {
	case sourceMDNS:
		c.announced(r, at)
	case sourceMatter:
		if v := valuesOf(r); len(v) > 0 {
			c.see(at, ByCanary, "read", &Read{Values: v})
		}
	case sourceHA, sourceServer:
		if a, known := r.Available.Get(); known {
			c.see(at, ByHA, "available", &Available{Value: &a})
		}
		v := valuesOf(r)
		for _, path := range paths {
			if raw, ok := v[path]; ok {
				c.see(at, ByHA, "attribute", &Attribute{Path: path, Value: raw})
			}
		}
	}
}

// The attributes that an evaluation looks at, in the order in which they are
// told.
var paths = []string{"0/51/1", "0/51/2", "0/51/4", "0/70/0", "0/70/1", "0/70/2", "0/70/6", "0/70/7", "0/70/8", "0/70/65532"}

// valuesOf are the attributes of General Diagnostics and ICD Management that a
// report holds. Of a cache the up time is of an unknown time and would date a
// start wrongly; the count of starts is what the server last heard, which is
// the present one only where its subscription is alive.
func valuesOf(r *diag.Report) map[string]json.RawMessage {
	v := map[string]json.RawMessage{}
	number := func(path string, n uint64) { v[path] = strconv.AppendUint(nil, n, 10) }
	live := !r.Cached || r.Available.Or(false)
	if n, known := r.RebootCount.Get(); known && live {
		number("0/51/1", uint64(n))
	}
	if d, known := r.UpTime.Get(); known && !r.Cached && d >= 0 {
		number("0/51/2", uint64(d/time.Second))
	}
	if n, known := r.BootReason.Get(); known && live {
		number("0/51/4", uint64(n))
	}
	icd, _ := r.ICD.Get()
	span := func(path string, o diag.Opt[time.Duration], unit time.Duration) {
		if d, known := o.Get(); known && d >= 0 {
			number(path, uint64(d/unit))
		}
	}
	span("0/70/0", icd.IdleModeDuration, time.Second)
	span("0/70/1", icd.ActiveModeDuration, time.Millisecond)
	span("0/70/2", icd.ActiveModeThreshold, time.Millisecond)
	if n, known := icd.UserActiveModeTriggerHint.Get(); known {
		number("0/70/6", uint64(n))
	}
	if s := icd.UserActiveModeTriggerInstruction; s != "" {
		if b, err := json.Marshal(s); err == nil {
			v["0/70/7"] = b
		}
	}
	if lit, known := icd.LIT.Get(); known && live {
		number("0/70/8", uint64(b2i(lit)))
	}
	if n, known := icd.FeatureMap.Get(); known {
		number("0/70/65532", uint64(n))
	}
	return v
}

// announced tells of the device's Matter instances on the LAN. Of the TXT
// record only the keys about sleeping are in a report; nil where it had none
// of them, as then it is not known whether it had any.
func (c *collection) announced(r *diag.Report, at time.Time) {
	icd, _ := r.ICD.Get()
	var txt map[string]string
	set := func(key, value string) {
		if txt == nil {
			txt = map[string]string{}
		}
		txt[key] = value
	}
	for _, k := range []struct {
		key string
		of  diag.Opt[time.Duration]
	}{{"SII", icd.SessionIdleInterval}, {"SAI", icd.SessionActiveInterval}, {"SAT", icd.SessionActiveThreshold}} {
		if d, known := k.of.Get(); known && d >= 0 {
			set(k.key, strconv.FormatInt(d.Milliseconds(), 10))
		}
	}
	if lit, known := icd.LIT.Get(); known {
		set("ICD", strconv.Itoa(b2i(lit)))
	}
	host := ""
	if len(r.Hosts) > 0 {
		host = r.Hosts[0]
	}
	var addresses []string
	for _, a := range r.Addresses[:min(len(r.Addresses), maxAddresses)] {
		addresses = append(addresses, a.String())
	}
	for _, name := range r.Instances[:min(len(r.Instances), maxFabrics)] {
		instance, _, _ := strings.Cut(name, ".")
		if !isInstance(instance) {
			continue
		}
		c.see(at, ByMDNS, "announce", &Announce{Instance: instance, Service: matterService, Host: host, Addresses: addresses, TXT: txt})
	}
}
