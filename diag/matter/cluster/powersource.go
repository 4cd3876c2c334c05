package cluster

import (
	"slices"

	"threadmap/diag"
)

const (
	powerBatVoltage          = 0x000B // millivolt
	powerBatPercentRemaining = 0x000C // half percent, 0..200
)

// decodePowerSource reads cluster 0x002F: the battery on the lowest endpoint
// that tells of one. Of a bridge only endpoint 0 is asked, since the others are
// other devices' batteries.
func decodePowerSource(r *reader, rep *diag.Report) {
	bridge := slices.Contains(rep.DeviceTypes, deviceTypeAggregator)
	for _, ep := range r.endpoints[PowerSource] {
		if bridge && ep != 0 {
			continue
		}
		p := Path{ep, PowerSource, powerBatPercentRemaining}
		if v, known := r.number(r.attrs[p], 200, func() string { return p.String() + " BatPercentRemaining" }); known && !rep.BatteryPercent.Known() {
			rep.BatteryPercent = diag.Some(uint8(v / 2))
		}
		p.Attribute = powerBatVoltage
		if v, known := r.number(r.attrs[p], 1<<16-1, func() string { return p.String() + " BatVoltage" }); known && !rep.SupplyMillivolt.Known() {
			rep.SupplyMillivolt = diag.Some(uint16(v))
		}
	}
}
