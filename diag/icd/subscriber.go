package icd

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// A kind of controller software: each has its own deadlines.
type controllerKind uint8

const (
	anyController controllerKind = iota
	chipController
	darwinController
	matterJSController
)

var kindNames = [...]string{"a controller of unknown kind", "a controller of the CHIP SDK", "Apple's controller", "matter.js"}

// A subscriber is one who wants to hear from the device.
type subscriber struct {
	name   string
	fabric string // compressed fabric id, upper case; "": not known
	inside string // the observer that speaks from inside of it; "": none
	kind   controllerKind
}

// kindOf recognises a controller by what people call it.
func kindOf(name string) controllerKind {
	n := strings.ToLower(name)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(n, w) })
	}
	switch {
	case has("apple", "homepod", "siri", "icloud", "ios"):
		return darwinController
	case has("home assistant", "homeassistant", "matter.js", "matterjs"), n == "ha", n == "hass":
		return matterJSController
	case has("google", "nest", "alexa", "amazon", "echo", "smartthings", "samsung", "aqara", "chip", "python-matter", "tuya", "homey"):
		return chipController
	}
	return anyController
}

// The CSA's vendor ids of those who run fabrics.
var vendorNames = map[uint64]string{
	0x1349: "Apple Home", 0x1384: "Apple Keychain", 0x134b: "Home Assistant", 0x6006: "Google Home", 0x110a: "SmartThings", 0x1217: "Amazon Alexa", 0x115f: "Aqara",
}

// findSubscribers lists who subscribes, in an order that does not depend on
// that of the lines: the canary, insiders, those whom a person names, and the
// fabrics that are left over.
func (v *view) findSubscribers() {
	add := func(s subscriber) *subscriber {
		v.subs = append(v.subs, &s)
		return &s
	}
	for _, by := range []string{ByCanary, ByHA, ByController} {
		any, fabric := false, ""
		for _, o := range v.all {
			if o.By == by {
				any = true
				if f := saysFabric(o); f != "" {
					fabric = f
				}
			}
		}
		if any {
			s := subscriber{name: by, fabric: fabric, inside: by, kind: chipController}
			switch by {
			case ByHA:
				s.name, s.kind = "Home Assistant", matterJSController
			case ByController:
				s.name, s.kind = "controller", anyController
			}
			add(s)
		}
	}
	named := map[string]bool{}
	for _, w := range each[Complaint](v, "user complaint") {
		if len(named) < maxSubscribers {
			named[w.Controller] = true
		}
	}
	for _, w := range each[Press](v, "user press") {
		if len(named) < maxSubscribers {
			named[w.Controller] = true
		}
	}
	names := make([]string, 0, len(named))
	for n := range named {
		if n != "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	vendors := v.vendors()
	for _, n := range names {
		if v.named(n) != nil {
			continue
		}
		s := add(subscriber{name: n, kind: kindOf(n)})
		if in := v.insider(ByController); in != nil && v.insiderFree(in) && in.kind == anyController && !isHex16(n) {
			// The one controller that speaks from inside is the one they complain of.
			in.name, in.kind = n, kindOf(n)
			v.subs = v.subs[:len(v.subs)-1]
			s = in
		}
		if isHex16(n) {
			s.fabric = strings.ToUpper(n)
			s.kind = kindOf(vendors[s.fabric])
		}
	}
	// Which fabric is whose: by vendor, else by what is left over.
	taken := map[string]bool{}
	for _, s := range v.subs {
		taken[s.fabric] = true
	}
	for _, s := range v.subs {
		for _, f := range v.fabrics {
			if s.fabric == "" && !taken[f] && vendors[f] != "" && s.kind != anyController && kindOf(vendors[f]) == s.kind && s.inside != ByCanary {
				s.fabric, taken[f] = f, true
			}
		}
	}
	var left []string
	for _, f := range v.capturedFabrics() {
		if !slices.Contains(v.fabrics, f) && !taken[f] {
			left = append(left, f)
		}
	}
	for _, f := range v.fabrics {
		if !taken[f] {
			left = append(left, f)
		}
	}
	var without []*subscriber
	for _, s := range v.subs {
		if s.fabric == "" {
			without = append(without, s)
		}
	}
	// The canary knows its fabric from its own login, and says so: where a file does
	// not, a fabric that is left over may be anybody's.
	if len(left) == 1 && len(without) == 1 && without[0].inside != ByCanary {
		without[0].fabric, left = left[0], nil
	}
	for _, f := range left {
		name := vendors[f]
		if name == "" {
			name = f
		}
		add(subscriber{name: name, fabric: f, kind: kindOf(name)})
	}
}

// saysFabric is the fabric that an insider says it is of, "" where it does not.
func saysFabric(o *Observation) string {
	f, _ := fabricOf(o)
	if w, ok := o.What.(*Subscribed); ok {
		f = w.Fabric
	}
	if !isHex16(f) {
		return ""
	}
	return strings.ToUpper(f)
}

func (v *view) insider(by string) *subscriber {
	for _, s := range v.subs {
		if s.inside == by {
			return s
		}
	}
	return nil
}

func (v *view) insiderFree(s *subscriber) bool { return s.name == s.inside }

// named finds a subscriber by what a person or the command line calls it.
func (v *view) named(name string) *subscriber {
	n := strings.ToLower(strings.TrimSpace(name))
	for _, s := range v.subs {
		if strings.ToLower(s.name) == n || strings.ToLower(s.fabric) == n || s.inside == n {
			return s
		}
	}
	if kindOf(name) == matterJSController {
		return v.insider(ByHA)
	}
	return nil
}

// about reports whether a person's words about a controller are about s. Words
// that name none are about the one that the evaluation is for.
func (v *view) about(controller string) bool {
	if controller == "" {
		return v.sub.inside != ByCanary || len(v.subs) == 1
	}
	return v.named(controller) == v.sub
}

// choose takes the subscriber that the user complains about.
func (v *view) choose(name string) bool {
	v.sub = nil
	if name != "" {
		v.sub = v.named(name)
		return v.sub != nil
	}
	if len(v.subs) == 0 {
		v.sub = &subscriber{}
		return true
	}
	// The last complaint decides, then a press that failed, then who lost the device.
	for _, key := range []string{"user complaint", "user press"} {
		for _, o := range slices.Backward(v.by[key]) {
			var c string
			switch w := o.What.(type) {
			case *Complaint:
				c = w.Controller
			case *Press:
				if w.Works == nil || *w.Works {
					continue
				}
				c = w.Controller
			}
			if s := v.named(c); c != "" && s != nil {
				v.sub = s
				return true
			}
		}
	}
	for _, by := range []string{ByHA, ByController} {
		if s := v.insider(by); s != nil {
			v.sub = s
			return true
		}
	}
	// Then one that has a name, which people can mean; then the canary, whose
	// subscription was seen; a fabric of which only digits are known is last.
	for _, named := range []func(*subscriber) bool{
		func(s *subscriber) bool { return s.inside == "" && s.name != s.fabric },
		func(s *subscriber) bool { return s.inside == ByCanary },
	} {
		if i := slices.IndexFunc(v.subs, named); i >= 0 {
			v.sub = v.subs[i]
			return true
		}
	}
	v.sub = v.subs[0]
	return true
}

// vendors says whose the device's fabrics are, from its Fabrics list: the
// compressed fabric id comes from the root key and the fabric id (Matter core
// specification, section 4.3.2.2).
func (v *view) vendors() map[string]string {
	out := map[string]string{}
	for _, x := range v.values("0/62/1") {
		var rows []map[string]json.RawMessage
		if json.Unmarshal(x.raw, &rows) != nil {
			continue
		}
		for _, r := range rows {
			var key []byte
			var text string
			var vendor, id uint64
			if json.Unmarshal(r["1"], &text) != nil || json.Unmarshal(r["2"], &vendor) != nil || json.Unmarshal(r["3"], &id) != nil {
				continue
			}
			key, err := base64.StdEncoding.DecodeString(text)
			if err != nil || len(key) != 65 {
				continue
			}
			if name := vendorNames[vendor]; name != "" {
				out[compressedFabric(key, id)] = name
			}
		}
	}
	return out
}

func compressedFabric(rootKey []byte, fabric uint64) string {
	salt := binary.BigEndian.AppendUint64(nil, fabric)
	id, err := hkdf.Key(sha256.New, rootKey[1:], salt, "CompressedFabric", 8)
	if err != nil {
		return "" // only for lengths that HKDF can't give
	}
	return strings.ToUpper(hex.EncodeToString(id))
}

// fabricRows are the device's fabrics by compressed id, with their indexes.
func (v *view) fabricRows() map[string]uint64 {
	out := map[string]uint64{}
	for _, x := range v.values("0/62/1") {
		var rows []map[string]json.RawMessage
		if json.Unmarshal(x.raw, &rows) != nil {
			continue
		}
		for _, r := range rows {
			var text string
			var index, id uint64
			if json.Unmarshal(r["1"], &text) != nil || json.Unmarshal(r["254"], &index) != nil || json.Unmarshal(r["3"], &id) != nil {
				continue
			}
			if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == 65 {
				out[compressedFabric(key, id)] = index
			}
		}
	}
	return out
}
