package restdoc

import (
	"encoding/json"
	"fmt"
	"math"

	"threadmap/diag"
)

// Values are the single values that [DecodeValue] reads, as they stand behind
// "/node/" in all generations, in the order in which they say most.
var Values = []string{"ext-address", "state", "rloc16", "ext-panid", "network-name", "leader-data", "num-of-router", "rloc", "ba-id"}

// DecodeValue adds what one single value says, such as the answer to
// GET /node/rloc16, to what r says of the border router. name is one of
// [Values]. It is for border routers that have no /node, or whose /node can't be
// read.
func DecodeValue(name string, body []byte, r *diag.Report) error {
	if len(body) > MaxBytes || !json.Valid(body) {
		return fmt.Errorf("%s: not JSON, or too large", name)
	}
	v := value(body[skipSpace(body, 0):])
	for len(v) > 0 && skipSpace(v, len(v)-1) == len(v) {
		v = v[:len(v)-1]
	}
	e := &entry{r: *r}
	f := &e.f
	switch name {
	case "ext-address":
		e.own(name, v)
	case "ba-id":
		if b, ok := f.hexBytes(name, v, 16); ok && len(b) == 16 && !allZero(b) {
			e.r.BorderAgentID = fmt.Sprintf("%x", b)
		}
	case "rloc16":
		e.r.RLOC16 = f.rloc16(name, v)
	case "rloc":
		if a, ok := f.address(name, v); ok {
			e.address(a)
			if _, p, ok := diag.RLOC16FromAddr(a); ok {
				e.r.Network.MeshLocalPrefix = p
			}
		}
	case "state":
		switch s := f.string(name, v); s {
		case "leader":
			e.r.Role = diag.RoleLeader
		case "router":
			e.r.Role = diag.RoleRouter
		case "child":
			e.r.Role = diag.RoleEndDevice
		case "detached":
			e.r.Role = diag.RoleDetached
		case "", "disabled":
		default:
			f.add(name, "disabled, detached, child, router or leader", v)
		}
	case "ext-panid":
		if x := f.hex64(name, v); x != 0 {
			e.r.Network.ExtPANID = diag.PANID64(x)
		}
	case "network-name":
		if s := f.string(name, v); s != "" {
			e.r.Network.Name = s
		}
	case "leader-data":
		e.leaderData(name, v)
	case "num-of-router":
		if n, ok := f.uint(name, v, math.MaxUint8); ok && n > 0 {
			e.r.RouterCount = diag.Some(uint8(n))
		}
	default:
		return fmt.Errorf("%s: not one of the values that are known", clip([]byte(name)))
	}
	if f.first != "" {
		return fmt.Errorf("%s", f.String())
	}
	*r = e.r
	return nil
}

// Generation tells by the case of its keys which generation made a /node: 1,
// 2 (which may also be 3), or 0 for no such document.
func Generation(body []byte) int {
	if Sniff(body) != KindNode {
		return 0
	}
	i := skipSpace(body, 0)
	i = skipSpace(body, i+1) // the quote of the first key
	if i+1 < len(body) && body[i+1] >= 'A' && body[i+1] <= 'Z' {
		return 1
	}
	return 2
}

// APIVersion is what /.well-known/thread/br-rest says of the JSON:API, "" for
// another document.
func APIVersion(body []byte) string {
	if Sniff(body) != KindVersion || !json.Valid(body) {
		return ""
	}
	var f faults
	version := ""
	members(body, func(key string, v value) bool {
		if key == "api" {
			f.object(key, v, func(key string, v value) {
				if key == "version" {
					version = f.string(key, v)
				}
			})
		}
		return true
	})
	return version
}
