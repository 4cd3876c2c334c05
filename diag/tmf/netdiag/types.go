package netdiag

import "fmt"

// Network Diagnostic TLV types (Thread 10.11.4, Thread 1.4).
const (
	TypeExtAddress           uint8 = 0
	TypeAddress16            uint8 = 1
	TypeMode                 uint8 = 2
	TypeTimeout              uint8 = 3 // only sleepy children answer it
	TypeConnectivity         uint8 = 4
	TypeRoute64              uint8 = 5
	TypeLeaderData           uint8 = 6
	TypeNetworkData          uint8 = 7
	TypeIPv6Addresses        uint8 = 8
	TypeMACCounters          uint8 = 9
	TypeBatteryLevel         uint8 = 14
	TypeSupplyVoltage        uint8 = 15
	TypeChildTable           uint8 = 16
	TypeChannelPages         uint8 = 17
	TypeTypeList             uint8 = 18 // requests only
	TypeMaxChildTimeout      uint8 = 19
	TypeLDevIDKey            uint8 = 20
	TypeIDevIDCert           uint8 = 21
	TypeEUI64                uint8 = 23
	TypeVersion              uint8 = 24
	TypeVendorName           uint8 = 25
	TypeVendorModel          uint8 = 26
	TypeVendorSWVersion      uint8 = 27
	TypeThreadStackVersion   uint8 = 28
	TypeChild                uint8 = 29 // only by query; once for each child
	TypeChildIPv6Addresses   uint8 = 30 // only by query
	TypeRouterNeighbor       uint8 = 31 // only by query
	TypeAnswer               uint8 = 32
	TypeQueryID              uint8 = 33
	TypeMLECounters          uint8 = 34
	TypeVendorAppURL         uint8 = 35
	TypeNonPreferredChannels uint8 = 36
	TypeEnhancedRoute        uint8 = 37
	TypeBRState              uint8 = 38 // 38 to 43: only border routers answer
	TypeBRInfraAddresses     uint8 = 39
	TypeBRLocalOMRPrefix     uint8 = 40
	TypeBRDHCPv6PDOMRPrefix  uint8 = 41
	TypeBRLocalOnLinkPrefix  uint8 = 42
	TypeBRFavoredOnLink      uint8 = 43
	TypeVendorOUI            uint8 = 44
)

var typeNames = map[uint8]string{
	TypeExtAddress: "Extended Address", TypeAddress16: "Address16", TypeMode: "Mode", TypeTimeout: "Timeout",
	TypeConnectivity: "Connectivity", TypeRoute64: "Route64", TypeLeaderData: "Leader Data", TypeNetworkData: "Network Data",
	TypeIPv6Addresses: "IPv6 Address List", TypeMACCounters: "MAC Counters", TypeBatteryLevel: "Battery Level",
	TypeSupplyVoltage: "Supply Voltage", TypeChildTable: "Child Table", TypeChannelPages: "Channel Pages", TypeTypeList: "Type List",
	TypeMaxChildTimeout: "Max Child Timeout", TypeLDevIDKey: "LDevID Subject Public Key Info", TypeIDevIDCert: "IDevID Certificate",
	TypeEUI64: "EUI-64", TypeVersion: "Version", TypeVendorName: "Vendor Name", TypeVendorModel: "Vendor Model",
	TypeVendorSWVersion: "Vendor SW Version", TypeThreadStackVersion: "Thread Stack Version", TypeChild: "Child",
	TypeChildIPv6Addresses: "Child IPv6 Address List", TypeRouterNeighbor: "Router Neighbor", TypeAnswer: "Answer", TypeQueryID: "Query ID",
	TypeMLECounters: "MLE Counters", TypeVendorAppURL: "Vendor App URL", TypeNonPreferredChannels: "Non-Preferred Channels Mask",
	TypeEnhancedRoute: "Enhanced Route", TypeBRState: "BR State", TypeBRInfraAddresses: "BR Infra-If Addresses",
	TypeBRLocalOMRPrefix: "BR Local OMR Prefix", TypeBRDHCPv6PDOMRPrefix: "BR DHCPv6-PD OMR Prefix",
	TypeBRLocalOnLinkPrefix: "BR Local On-Link Prefix", TypeBRFavoredOnLink: "BR Favored On-Link Prefix", TypeVendorOUI: "Vendor OUI",
}

// TypeName is a type's name in the standard: "Route64". An unknown one is
// "type 99".
func TypeName(typ uint8) string {
	if s := typeNames[typ]; s != "" {
		return s
	}
	return fmt.Sprintf("type %d", typ)
}

// IsList reports whether TLVs of that type come once for each row, with an
// empty one after the last.
func IsList(typ uint8) bool {
	return typ == TypeChild || typ == TypeChildIPv6Addresses || typ == TypeRouterNeighbor
}

// length is the check that nearly all values share: at least n octets. More
// are left alone: later versions of Thread append to values.
func length(typ uint8, v []byte, n int) error {
	if len(v) < n {
		return fmt.Errorf("%s: %d octets, want %d", TypeName(typ), len(v), n)
	}
	return nil
}

// exactly is the check of values that can't grow.
func exactly(typ uint8, v []byte, n int) error {
	if len(v) != n {
		return fmt.Errorf("%s: %d octets, want %d", TypeName(typ), len(v), n)
	}
	return nil
}
