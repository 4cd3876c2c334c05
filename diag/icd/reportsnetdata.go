package icd

import (
	"net/netip"
	"slices"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
)

// hearNetdata tells of Network Data, once of each version in a session: all
// nodes of a partition have the same.
func (s *session) hearNetdata(c *collection, r *diag.Report) {
	raw := r.Network.NetworkData
	if raw == nil || s.netdata[string(raw)] || len(s.netdata) >= maxNetdata {
		return
	}
	s.netdata[string(raw)] = true
	if w, ok := NetdataOf(raw, r.Network.MeshLocalPrefix); ok {
		c.see(c.when(r), ByTMF, "netdata", w)
	}
}

// NetdataOf reads Network Data (Thread 5.18) as it came over the air. SRP
// servers that are named by anycast have no address of their own there: that of
// the border router that offers the service is given, made with the mesh-local
// prefix, or its RLOC16 where that is not known. Prefixes are those of which
// devices make addresses. ok is false for what can't be read.
func NetdataOf(raw []byte, meshLocal netip.Prefix) (w *Netdata, ok bool) {
	d, err := netdiag.ParseNetworkData(raw)
	if err != nil {
		return nil, false
	}
	w = &Netdata{SRP: []SRPServer{}, Prefixes: []NetdataPrefix{}}
	for _, s := range d.SRPServers() {
		server := SRPServer{Address: s.Addr.Addr().String(), Port: s.Addr.Port()}
		if !s.Addr.IsValid() {
			server = SRPServer{Address: routerAddress(meshLocal, s.RLOC16), Port: 53}
		}
		if !slices.Contains(w.SRP, server) {
			w.SRP = append(w.SRP, server)
		}
	}
	for _, p := range d.Prefixes {
		slaac, preferred, onMesh := false, false, false
		for _, b := range p.BorderRouters {
			onMesh = onMesh || b.OnMesh || b.SLAAC
			slaac, preferred = slaac || b.SLAAC, preferred || b.Preferred
		}
		if onMesh {
			w.Prefixes = append(w.Prefixes, NetdataPrefix{Prefix: p.Prefix.String(), SLAAC: &slaac, Preferred: &preferred})
		}
	}
	return w, true
}

// routerAddress is a router's routing locator (Thread 5.3.2).
func routerAddress(meshLocal netip.Prefix, r diag.RLOC16) string {
	v, known := r.Get()
	if !known {
		return ""
	}
	if !meshLocal.IsValid() || !meshLocal.Addr().Is6() {
		return r.String()
	}
	b := meshLocal.Masked().Addr().As16()
	copy(b[8:], []byte{0, 0, 0, 0xff, 0xfe, 0, byte(v >> 8), byte(v)})
	return netip.AddrFrom16(b).String()
}
