package cluster

import "threadmap/diag"

const commissioningThreadVersion = 0x000A

// decodeNetworkCommissioning reads cluster 0x0031. Its FeatureMap says what
// the interface is; the endpoint of the primary interface is the lowest.
func decodeNetworkCommissioning(r *reader, rep *diag.Report) {
	for _, ep := range r.endpoints[NetworkCommissioning] {
		p := Path{ep, NetworkCommissioning, featureMap}
		f, known := r.number(r.attrs[p], 1<<32-1, func() string { return p.String() + " FeatureMap" })
		if !known {
			continue
		}
		switch {
		case f&2 != 0:
			rep.Transport = diag.TransportThread
		case f&1 != 0:
			rep.Transport = diag.TransportWiFi
		case f&4 != 0:
			rep.Transport = diag.TransportEthernet
		}
		if rep.Transport != diag.TransportUnknown {
			break
		}
	}
	// ThreadVersion stands with the Thread interface, wherever that is.
	for _, ep := range r.endpoints[NetworkCommissioning] {
		p := Path{ep, NetworkCommissioning, commissioningThreadVersion}
		if v, known := r.number(r.attrs[p], 1<<16-1, func() string { return p.String() + " ThreadVersion" }); known && v != 0 && !rep.ThreadVersion.Known() {
			rep.ThreadVersion = diag.Some(uint16(v))
		}
	}
}
