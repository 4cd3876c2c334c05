package cluster

import "fmt"

// A Path names an attribute of a node.
type Path struct {
	Endpoint  uint16
	Cluster   uint32
	Attribute uint32
}

// String is the decimal form that Matter servers use: "0/53/7".
func (p Path) String() string { return fmt.Sprintf("%d/%d/%d", p.Endpoint, p.Cluster, p.Attribute) }

// Attributes are the values read from one node.
type Attributes map[Path]Value

// The clusters that are read (Matter 1.6 data model).
const (
	Descriptor                   uint32 = 0x001D
	BasicInformation             uint32 = 0x0028
	PowerSource                  uint32 = 0x002F
	NetworkCommissioning         uint32 = 0x0031
	GeneralDiagnostics           uint32 = 0x0033
	ThreadNetworkDiagnostics     uint32 = 0x0035
	OperationalCredentials       uint32 = 0x003E
	ICDManagement                uint32 = 0x0046
	ThreadBorderRouterManagement uint32 = 0x0452
	ThreadNetworkDirectory       uint32 = 0x0453
)

// featureMap is the global attribute FeatureMap.
const featureMap = 0xFFFC

// Reads reports whether [Report] or [ThreadNetworks] looks at p. A decoder of values may leave out
// all others; certificates and access lists are among those.
func Reads(p Path) bool {
	switch p.Cluster {
	case Descriptor:
		return p.Attribute == descriptorDeviceTypeList
	case BasicInformation:
		return p.Attribute <= basicSoftwareVersionString || p.Attribute == basicProductLabel
	case PowerSource:
		return p.Attribute == powerBatVoltage || p.Attribute == powerBatPercentRemaining
	case NetworkCommissioning:
		return p.Attribute == featureMap || p.Attribute == commissioningThreadVersion
	case GeneralDiagnostics:
		return p.Attribute <= generalBootReason
	case ThreadNetworkDiagnostics:
		return p.Attribute <= threadRloc16
	case OperationalCredentials:
		return p.Attribute == credentialsFabrics
	case ICDManagement:
		return p.Attribute == featureMap || p.Attribute <= icdOperatingMode && p.Attribute != icdICDCounter
	case ThreadBorderRouterManagement:
		return p.Attribute == borderRouterBorderAgentID || p.Attribute == borderRouterThreadVersion
	case ThreadNetworkDirectory:
		return p.Attribute <= directoryThreadNetworks
	}
	return false
}
