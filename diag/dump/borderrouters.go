package dump

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
)

// readBorderRouters reads the result of the Matter server's
// get_thread_border_routers: the announcements that it heard. Written from a
// captured answer.
func readBorderRouters(in *input, out *output) bool {
	if !in.json {
		return false
	}
	raw := json.RawMessage(in.body)
	if r := object(raw)["result"]; r != nil {
		raw = r
	}
	list, ok := array(raw)
	if !ok || len(list) == 0 {
		return false
	}
	first := object(list[0])
	if first["extPanIdHex"] != nil && first["collectedAt"] != nil {
		out.refused = errors.New("is the Matter server's Thread diagnostics, which is not read: save the answer of \"get_nodes\" instead")
		return true
	}
	if first["extAddressHex"] == nil {
		return false
	}
	for i, e := range list {
		r, err := borderRouter(object(e))
		if err != nil {
			out.problem(sourceMatter, "border router %d: %v: skipped", i+1, err)
			continue
		}
		out.report(r)
	}
	return true
}

func borderRouter(o map[string]json.RawMessage) (diag.Report, error) {
	r := diag.Report{Source: sourceMatter, Cached: true, BorderRouter: diag.Some(true)}
	text := func(key string) string { return cleanName(jsonString(o[key], 1024)) }
	ext, err := diag.ParseExtAddr(text("extAddressHex"))
	if err != nil || ext == 0 {
		return r, errors.New("extAddressHex is no extended address")
	}
	r.Own = []diag.AddrClaim{{ExtAddr: ext, Witness: diag.WitnessMeshCoP}}
	if host, _, _ := strings.Cut(text("hostname"), "."); host != "" {
		r.Hosts = []string{host}
	}
	r.Vendor, r.Product = text("vendorName"), text("modelName")
	r.ThreadVersion = threadVersion(text("threadVersion"))
	r.Network.Name = text("networkName")
	if xp, err := diag.ParsePANID64(text("extendedPanIdHex")); err == nil {
		r.Network.ExtPANID = xp
	}
	if at, err := strconv.ParseUint(text("activeTimestampHex"), 16, 64); err == nil {
		r.Network.ActiveTimestamp = diag.Some(at)
	}
	if id, err := strconv.ParseUint(text("partitionIdHex"), 16, 32); err == nil {
		r.Leader.PartitionID = diag.Some(uint32(id))
	}
	var agent diag.BorderAgent
	if sb, err := strconv.ParseUint(text("stateBitmapHex"), 16, 32); err == nil {
		agent.StateBitmap = diag.Some(uint32(sb))
	}
	port, hasPort := exactUint(o["meshcopPort"])
	list, _ := array(o["addresses"])
	for _, e := range list[:min(len(list), 64)] {
		a, err := netip.ParseAddr(jsonString(e, 100))
		if err != nil || a.IsUnspecified() {
			continue
		}
		r.Addresses = append(r.Addresses, a.WithZone(""))
		if hasPort && port > 0 && port < 1<<16 {
			agent.Endpoints = append(agent.Endpoints, netip.AddrPortFrom(a, uint16(port)))
		}
	}
	if agent.StateBitmap.Known() || agent.Endpoints != nil {
		r.BorderAgent = diag.Some(agent)
	}
	if ms, ok := exactUint(o["lastSeen"]); ok && ms > 0 && ms < 1<<42 {
		r.At = time.UnixMilli(int64(ms)).UTC()
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

// cleanName bounds a name and leaves out what is no text.
func cleanName(s string) string {
	if len(s) > 128 {
		s = s[:128]
	}
	return strings.TrimSpace(strings.ToValidUTF8(s, ""))
}

// lineError names the line of a fault.
func lineError(n int, format string, args ...any) string {
	return fmt.Sprintf("line %d: ", n) + fmt.Sprintf(format, args...)
}
