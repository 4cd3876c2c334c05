package matterserver

import (
	"fmt"
	"strings"
	"time"

	"threadmap/diag"
)

// borderRouters is what the server heard announced on its LAN.
func (s *Server) borderRouters() []object {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []object{}
	seen := map[diag.PANID64]bool{}
	for _, n := range s.nodes {
		if seen[n.network] || s.views[n.network] == nil {
			continue
		}
		seen[n.network] = true
		v := s.views[n.network]
		m := v.Mesh()
		for i := range m.Nodes {
			b := v.Node(i)
			if !b.BorderRouter {
				continue
			}
			addresses := []string{fmt.Sprintf("fd11:2233:4455::%x", i+1), v.LinkLocal(i).String()}
			out = append(out, object{
				{"extAddressHex", strings.ToUpper(b.ExtAddr.String())}, {"addresses", addresses}, {"sources", []string{"meshcop"}},
				{"lastSeen", time.Now().Add(-3 * time.Second).UnixMilli()}, {"extendedPanIdHex", strings.ToUpper(m.ExtPANID.String())},
				{"hostname", strings.ToLower(strings.ReplaceAll(b.Name, " ", "-")) + ".local"}, {"meshcopPort", 49152}, {"networkName", m.Name},
				{"vendorName", b.Vendor}, {"modelName", b.Model}, {"threadVersion", diag.ThreadVersionName(b.ThreadVersion) + ".0"}, {"recordVersion", "1"},
				{"stateBitmapHex", "000005B1"}, {"activeTimestampHex", fmt.Sprintf("%016X", m.ActiveTimestamp)},
				{"partitionIdHex", fmt.Sprintf("%08X", v.Leader(i).ID)}, {"domainName", "DefaultDomain"},
			})
		}
	}
	return out
}
