package cluster

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"threadmap/diag"
)

const (
	generalNetworkInterfaces = 0x0000
	generalRebootCount       = 0x0001
	generalUpTime            = 0x0002
	generalBootReason        = 0x0004
)

// Fields of NetworkInterface.
const (
	interfaceIsOperational   = 1
	interfaceHardwareAddress = 4
	interfaceIPv4Addresses   = 5
	interfaceIPv6Addresses   = 6
	interfaceType            = 7
)

// maxUpTime is what a time.Duration holds, in seconds.
const maxUpTime = uint64(1<<63-1) / uint64(time.Second)

// decodeGeneralDiagnostics reads cluster 0x0033.
func decodeGeneralDiagnostics(r *reader, rep *diag.Report) {
	if v, known := r.uint(generalRebootCount, "RebootCount", 1<<16-1); known {
		rep.RebootCount = diag.Some(uint16(v))
	}
	if v, known := r.uint(generalUpTime, "UpTime", maxUpTime); known {
		rep.UpTime = diag.Some(time.Duration(v) * time.Second)
	}
	if v, known := r.uint(generalBootReason, "BootReason", 255); known {
		rep.BootReason = diag.Some(uint8(v))
	}
	val, p := r.value(generalNetworkInterfaces)
	var kinds []diag.Transport // of the operational interfaces
	for i, row := range r.list(val, 16, p.String()+" NetworkInterfaces") {
		where := fmt.Sprintf("%s NetworkInterfaces row %d", p, i+1)
		t, _ := r.number(row.Field(interfaceType), 255, func() string { return where + ": Type" })
		if up, ok := row.Field(interfaceIsOperational).Bool(); ok && up {
			if k := interfaceTransport(t); k != diag.TransportUnknown && !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		if t == 4 {
			hardwareAddress(r, rep, row.Field(interfaceHardwareAddress), where)
		}
		addresses(r, rep, row.Field(interfaceIPv4Addresses), 4, where+": IPv4Addresses")
		addresses(r, rep, row.Field(interfaceIPv6Addresses), 16, where+": IPv6Addresses")
	}
	// FeatureMap of Network Commissioning is the better witness; two running
	// interfaces of different kinds decide nothing.
	if rep.Transport == diag.TransportUnknown && len(kinds) == 1 {
		rep.Transport = kinds[0]
	}
}

func interfaceTransport(t uint64) diag.Transport {
	switch t {
	case 1:
		return diag.TransportWiFi
	case 2:
		return diag.TransportEthernet
	case 4:
		return diag.TransportThread
	}
	return diag.TransportUnknown
}

// hardwareAddress keeps the 802.15.4 address that CHIP's platform layers put
// there. Some stacks put a factory address instead, so it is a claim.
func hardwareAddress(r *reader, rep *diag.Report, val Value, where string) {
	if !val.Present() {
		return
	}
	b, ok := val.Octets()
	if !ok || len(b) != 8 {
		r.problem("%s: HardwareAddress of a Thread interface is not 8 octets: left out", where)
		return
	}
	claim := diag.AddrClaim{ExtAddr: diag.ExtAddr(binary.BigEndian.Uint64(b)), Witness: diag.WitnessInterface}
	if claim.ExtAddr != 0 && !slices.Contains(rep.Own, claim) {
		rep.Own = append(rep.Own, claim)
	}
}

func addresses(r *reader, rep *diag.Report, val Value, octets int, where string) {
	for i, v := range r.list(val, maxAddresses, where) {
		b, ok := v.Octets()
		a, valid := netip.AddrFromSlice(b)
		if !ok || !valid || len(b) != octets {
			r.problem("%s element %d is not %d octets: left out", where, i+1, octets)
			continue
		}
		if !a.IsUnspecified() && !slices.Contains(rep.Addresses, a) && len(rep.Addresses) < maxAddresses {
			rep.Addresses = append(rep.Addresses, a)
		}
	}
}
