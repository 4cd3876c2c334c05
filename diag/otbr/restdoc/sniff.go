package restdoc

import "encoding/json"

// A Kind says which of OTBR's documents something is.
type Kind uint8

// The kinds of documents.
const (
	KindUnknown     Kind = iota // none of OTBR's
	KindEmpty                   // a list of nothing, by which the kind can't be told
	KindNode                    // /node, /api/node: the border router itself
	KindDiagnostics             // /diagnostics, /api/diagnostics: what nodes answered
	KindDevices                 // /api/devices: the nodes that the border router knows
	KindActions                 // /api/actions: tasks and their state
	KindDataset                 // /node/dataset/active
	KindVersion                 // /.well-known/thread/br-rest
	KindError                   // {"title","status","detail"}
	KindValue                   // one value without its name: /node/rloc16 and others
)

// String names the kind for messages.
func (k Kind) String() string {
	return [...]string{"unknown document", "empty list", "border router", "diagnostics", "device list", "task list",
		"dataset", "API version", "error", "single value"}[min(k, KindValue)]
}

// Sniff tells what a document is by its structure alone. It believes only
// documents that have the marks of OTBR; a JSON text or number is a
// [KindValue], which may be anything.
func Sniff(body []byte) Kind {
	if len(body) > MaxBytes {
		return KindUnknown
	}
	return sniff(body, 3)
}

func sniff(v []byte, frames int) Kind {
	switch c := first(v); {
	case c == '{':
		return sniffObject(v, frames)
	case c == '[':
		k := KindEmpty
		elements(v, 1, func(v value) bool {
			k = KindUnknown
			if first(v) == '{' {
				k = sniffObject(v, 0)
			}
			if k != KindNode && k != KindDiagnostics && k != KindDevices {
				k = KindUnknown
			}
			return false
		})
		if k == KindEmpty && !emptyList(v) {
			return KindUnknown
		}
		return k
	case c == '"', c >= '0' && c <= '9':
		if json.Valid(v) {
			return KindValue
		}
	}
	return KindUnknown
}

func emptyList(v []byte) bool {
	some := false
	err := elements(v, 1, func(value) bool { some = true; return true })
	return err == nil && !some
}

// sniffObject looks at the names of the members. frames bounds how many frames
// ({"data":…}, {"result":…}) may be around a document.
func sniffObject(v []byte, frames int) Kind {
	has := map[string]value{}
	members(v, func(key string, v value) bool { has[key] = v; return true })
	is := func(keys ...string) bool {
		for _, k := range keys {
			if _, ok := has[k]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case is("data") && (first(has["data"]) == '[' || first(has["data"]) == '{') && frames > 0:
		return sniffData(has["data"], has["meta"])
	case is("error", "result") && frames > 0:
		if k := sniff(has["result"], frames-1); k != KindUnknown && k != KindValue {
			return k
		}
		return KindUnknown
	case is("title", "status") && first(has["status"]) != '"':
		return KindError
	case is("api", "links"):
		return KindVersion
	case is("networkkey", "extpanid"), is("pskc", "extpanid"), is("activetimestamp", "extpanid"), is("meshlocalprefix", "panid", "channel"):
		return KindDataset
	case is("baid", "state"), is("numofrouter", "extaddress"), is("routercount", "extaddress"), is("rlocaddress", "extaddress"):
		return KindNode
	case is("mleidiid"), is("omripv6address"):
		return KindDevices
	case is("extaddress", "rloc16"), is("rloc16", "route"), is("extaddress", "route"), is("extaddress", "childtable"),
		is("extaddress", "ip6addresslist"), is("extaddress", "networkdata"):
		return KindDiagnostics
	}
	return KindUnknown
}

// sniffData tells a JSON:API document by the type of its first resource.
func sniffData(data, meta value) Kind {
	one := data
	if first(data) == '[' {
		one = nil
		elements(data, 1, func(v value) bool { one = v; return false })
		if one == nil {
			if emptyList(data) && first(meta) == '{' {
				return KindEmpty
			}
			return KindUnknown
		}
	}
	k := KindUnknown
	members(one, func(key string, v value) bool {
		if key != "type" {
			return true
		}
		switch t, _ := text(v); t {
		case typeDiagnostics, "diagnostics":
			k = KindDiagnostics
		case typeDevice, typeBorderRouter:
			k = KindDevices
			if t == typeBorderRouter && first(data) == '{' {
				k = KindNode
			}
		case "updateDeviceCollectionTask", "getNetworkDiagnosticTask", "resetNetworkDiagCounterTask", "addThreadDeviceTask", "getEnergyScanTask":
			k = KindActions
		}
		return false
	})
	return k
}

// The types of JSON:API resources.
const (
	typeDiagnostics  = "networkDiagnostics"
	typeDevice       = "threadDevice"
	typeBorderRouter = "threadBorderRouter"
)
