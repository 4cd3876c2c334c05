package otbr

// gen2 are the words that generation 2 had for keys of generation 3.
var gen2 = map[string]string{
	"fullThreadDevice": "deviceTypeFTD",
	"linkAge":          "connectionTime",
	"threadVersion":    "version",
	"hostname":         "hostName",
	"eui":              "eui64",
}

// gen2ChildAddresses is generation 2's word for the addresses in a row of
// childIpv6Addresses; a node's own had the later word already.
const gen2ChildAddresses = "ip6Addresses"

// word is the generation's word for a key of generation 3.
func (s *Server) word(key string) string {
	if s.gen == 2 {
		if w, ok := gen2[key]; ok {
			return w
		}
	}
	return key
}

// words is o with its keys, at all depths, in the words of the generation.
func (s *Server) words(o object) object {
	if s.gen != 2 {
		return o
	}
	out := make(object, 0, len(o))
	for _, f := range o {
		v := f.Value
		switch inner := v.(type) {
		case object:
			v = s.words(inner)
		case []object:
			list := make([]object, 0, len(inner))
			for _, e := range inner {
				e = s.words(e)
				for i := range e {
					if f.Key == "childIpv6Addresses" && e[i].Key == "ipv6Addresses" {
						e[i].Key = gen2ChildAddresses
					}
				}
				list = append(list, e)
			}
			v = list
		}
		out = append(out, field{s.word(f.Key), v})
	}
	return out
}

// diagnosticTypes are the names that a diagnostic action may ask for, in
// generation 3's words.
var diagnosticTypes = []string{
	"extAddress", "rloc16", "mode", "timeout", "connectivity", "route", "leaderData", "networkData", "ipv6Addresses", "macCounters", "batteryLevel",
	"supplyVoltage", "childTable", "channelPages", "maxChildTimeout", "eui", "threadVersion", "vendorName", "vendorModel", "vendorSwVersion",
	"threadStackVersion", "children", "childIpv6Addresses", "routerNeighbors", "mleCounters",
}

// diagnosticType is generation 3's word for a type that was asked for.
func (s *Server) diagnosticType(asked string) (string, bool) {
	for _, t := range diagnosticTypes {
		if s.word(t) == asked {
			return t, true
		}
	}
	return "", false
}
