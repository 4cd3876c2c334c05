package cluster

import (
	"encoding/hex"

	"threadmap/diag"
)

const (
	borderRouterBorderAgentID = 0x0001
	borderRouterThreadVersion = 0x0002
)

// decodeThreadBorderRouterManagement reads cluster 0x0452. BorderAgentID is
// the same as TXT id of its "_meshcop._udp" announcement.
func decodeThreadBorderRouterManagement(r *reader, rep *diag.Report) {
	val, p := r.value(borderRouterBorderAgentID)
	if val.Present() {
		if b, ok := val.Octets(); ok && len(b) == 16 {
			rep.BorderAgentID = hex.EncodeToString(b)
		} else {
			r.problem("%s BorderAgentID is not 16 octets: left out", p)
		}
	}
	if v, known := r.uint(borderRouterThreadVersion, "ThreadVersion", 1<<16-1); known && v != 0 && !rep.ThreadVersion.Known() {
		rep.ThreadVersion = diag.Some(uint16(v))
	}
	rep.BorderRouter = diag.Some(true)
}
