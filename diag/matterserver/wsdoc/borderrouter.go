package wsdoc

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
)

// Bounds of the list of border routers.
const (
	maxBorderRouters = 256
	maxAddresses     = 64
	maxName          = 128
)

// BorderRouters reads the result of "get_thread_border_routers": the
// announcements that the server heard on its LAN, each with the time when it
// last did. now bounds those times: the server's clock may be fast. A zero now
// is not known: of an answer that was saved.
func BorderRouters(result json.RawMessage, now time.Time) (out []diag.Report, problems []string, err error) {
	n := 0
	if !elements(result, func(raw json.RawMessage) bool {
		n++
		r, err := borderRouter(object(raw), now)
		switch {
		case n > maxBorderRouters:
			problems = append(problems, fmt.Sprintf("more than %d border routers: the rest is left out", maxBorderRouters))
			return false
		case err == nil:
			out = append(out, r)
		case len(problems) < maxProblems:
			problems = append(problems, fmt.Sprintf("border router %d: %v: skipped", n, err))
		}
		return true
	}) {
		return nil, nil, errors.New("a list of border routers was asked for, something else came")
	}
	return out, problems, nil
}

func borderRouter(o map[string]json.RawMessage, now time.Time) (diag.Report, error) {
	r := diag.Report{BorderRouter: diag.Some(true), Cached: true, At: now}
	word := func(key string) string { return text(o[key], maxName) }
	ext, err := diag.ParseExtAddr(word("extAddressHex"))
	if err != nil || ext == 0 {
		return r, errors.New("extAddressHex is no extended address")
	}
	r.Own = []diag.AddrClaim{{ExtAddr: ext, Witness: diag.WitnessMeshCoP}}
	if id, err := hex.DecodeString(word("borderAgentIdHex")); err == nil && len(id) == 16 {
		r.BorderAgentID = hex.EncodeToString(id)
	}
	if host, _, _ := strings.Cut(word("hostname"), "."); host != "" {
		r.Hosts = []string{host}
	}
	r.Vendor, r.Product = word("vendorName"), word("modelName")
	r.ThreadVersion = threadVersion(word("threadVersion"))
	r.Network.Name = word("networkName")
	if xp, err := diag.ParsePANID64(word("extendedPanIdHex")); err == nil {
		r.Network.ExtPANID = xp
	}
	if v, err := strconv.ParseUint(word("activeTimestampHex"), 16, 64); err == nil {
		r.Network.ActiveTimestamp = diag.Some(v)
	}
	if v, err := strconv.ParseUint(word("partitionIdHex"), 16, 32); err == nil {
		r.Leader.PartitionID = diag.Some(uint32(v))
	}
	var agent diag.BorderAgent
	if v, err := strconv.ParseUint(word("stateBitmapHex"), 16, 32); err == nil {
		agent.StateBitmap = diag.Some(uint32(v))
	}
	port, _ := exactUint(o["meshcopPort"])
	elements(o["addresses"], func(raw json.RawMessage) bool {
		a, err := netip.ParseAddr(text(raw, 100))
		if err != nil || a.IsUnspecified() {
			return true
		}
		a = a.WithZone("") // the server's interface, not ours
		if !slices.Contains(r.Addresses, a) {
			r.Addresses = append(r.Addresses, a)
			if port > 0 && port < 1<<16 {
				agent.Endpoints = append(agent.Endpoints, netip.AddrPortFrom(a, uint16(port)))
			}
		}
		return len(r.Addresses) < maxAddresses
	})
	if agent.StateBitmap.Known() || agent.Endpoints != nil {
		r.BorderAgent = diag.Some(agent)
	}
	if ms, ok := exactUint(o["lastSeen"]); ok && ms > 0 && ms < 1<<42 {
		if seen := time.UnixMilli(int64(ms)).UTC(); now.IsZero() || seen.Before(now) {
			r.At = seen
		}
	}
	return r, nil
}

// threadVersion reads "1.3.0" as Thread's own number, 4.
func threadVersion(s string) diag.Opt[uint16] {
	for v := uint16(1); diag.ThreadVersionName(v) != ""; v++ {
		if name := diag.ThreadVersionName(v); s == name || strings.HasPrefix(s, name+".") {
			return diag.Some(v)
		}
	}
	return diag.Opt[uint16]{}
}
