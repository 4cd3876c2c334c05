package cluster

import (
	"fmt"

	"threadmap/diag"
)

const descriptorDeviceTypeList = 0x0000

// Device types that say something about the mesh (Matter device library).
const (
	deviceTypeAggregator         = 0x000E // a bridge: other endpoints are other devices
	deviceTypeThreadBorderRouter = 0x0091
)

// decodeDescriptor reads cluster 0x001D: the device types of all endpoints.
func decodeDescriptor(r *reader, rep *diag.Report) {
	for _, ep := range r.endpoints[Descriptor] {
		p := Path{ep, Descriptor, descriptorDeviceTypeList}
		for i, row := range r.list(r.attrs[p], maxTypes, p.String()+" DeviceTypeList") {
			t, known := r.number(row.Field(0), 1<<32-1, func() string { return fmt.Sprintf("%s DeviceTypeList row %d: DeviceType", p, i+1) })
			if !known {
				continue
			}
			rep.DeviceTypes = addTypes(rep.DeviceTypes, uint32(t))
			if t == deviceTypeThreadBorderRouter {
				rep.BorderRouter = diag.Some(true)
			}
		}
	}
}
