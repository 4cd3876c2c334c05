package icdhome

// ControllerFabric is the compressed id of the fabric of the controller that the
// user complains about. The device is on it as DeviceNode.
func (h *Home) ControllerFabric() uint64 { return h.hub.ca.Member().CompressedID() }
