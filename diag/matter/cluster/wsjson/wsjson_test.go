package wsjson_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
)

var table = cluster.Path{Cluster: cluster.ThreadNetworkDiagnostics, Attribute: 7}

func TestIntegersAreExact(t *testing.T) {
	for in, want := range map[string]string{
		"18446744073709551615": "18446744073709551615 true 0 false",
		"9007199254740993":     "9007199254740993 true 9007199254740993 true", // 2^53+1, no float
		"-9223372036854775808": "0 false -9223372036854775808 true",
		"18446744073709551616": "0 false 0 false",
		"1e3":                  "0 false 0 false",
		"12.0":                 "0 false 0 false",
		"1e999999999":          "0 false 0 false",
		`"12"`:                 "0 false 0 false",
		"null":                 "0 false 0 false",
		"-0":                   "0 true 0 true",
	} {
		v, err := wsjson.Value(table, json.RawMessage(in))
		uv, uok := v.Uint()
		iv, iok := v.Int()
		if !uok {
			uv = 0
		}
		if !iok {
			iv = 0
		}
		if got := fmt.Sprint(uv, uok, iv, iok); got != want || err != nil && !strings.Contains(err.Error(), "no JSON") {
			t.Errorf("%s: %s, want %s (%v)", in, got, want, err)
		}
	}
}

func TestShapes(t *testing.T) {
	v, err := wsjson.Value(cluster.Path{Cluster: cluster.GeneralDiagnostics}, json.RawMessage(`[{"0":"wpan0","1":true,"2":null,"4":"Pumc7QzbXA0=","6":["/oAAAAAAAAA86ZztDNtcDQ=="],"7":4,"name":1}]`))
	if err != nil {
		t.Fatal(err)
	}
	l, _ := v.List()
	r := l[0]
	hw, _ := r.Field(4).Octets()
	a, _ := r.Field(6).List()
	ip, _ := a[0].Octets()
	name, _ := r.Field(0).Text()
	if fmt.Sprintf("%x %x", hw, ip) != "3ee99ced0cdb5c0d fe800000000000003ce99ced0cdb5c0d" || name != "wpan0" || r.Field(2).Kind() != cluster.KindNull || r.Field(3).Kind() != cluster.KindAbsent {
		t.Errorf("%x %x %s", hw, ip, name)
	}
	v, _ = wsjson.Value(cluster.Path{Cluster: cluster.Descriptor}, json.RawMessage(`[{"deviceType":22,"revision":4},{"type":145}]`))
	l, _ = v.List()
	if x, _ := l[0].Field(0).Uint(); x != 22 {
		t.Error("deviceType by name")
	}
	if x, _ := l[1].Field(0).Uint(); x != 145 {
		t.Error("type by name")
	}
	if v, err := wsjson.Value(table, json.RawMessage(`"**REDACTED**"`)); err != nil || v.Kind() != cluster.KindAbsent {
		t.Errorf("redacted: %v %v", v, err)
	}
}

func TestBounds(t *testing.T) {
	for _, in := range []string{
		strings.Repeat("[", 20) + strings.Repeat("]", 20),
		strings.Repeat("[", 20000),
		"[" + strings.Repeat("1,", 10000) + "1]",
		"[" + strings.Repeat("1,", 1<<20) + "1]",
		"{", "", "nul",
	} {
		if v, err := wsjson.Value(table, json.RawMessage(in)); err == nil {
			t.Errorf("%.20q…: %d", in, v.Kind())
		} else if strings.Contains(err.Error(), in) && in != "" {
			t.Errorf("quoted: %v", err)
		}
	}
}

func TestAttributes(t *testing.T) {
	attrs, problems := wsjson.Attributes(map[string]json.RawMessage{
		"0/53/1": json.RawMessage("5"), "0/62/0": json.RawMessage(`[{"1":"certificate"}]`), "x": nil, "0/53/99999999999": json.RawMessage("1"),
		"0/53/7": json.RawMessage("[["), "-1/53/1": json.RawMessage("1"), "0/53/8": json.RawMessage("[]"),
	})
	if len(attrs) != 2 || fmt.Sprint(problems) != "[0/53/7: is no JSON value: left out]" {
		t.Errorf("%v %q", attrs, problems)
	}
}

func FuzzValue(f *testing.F) {
	f.Add("0/53/7", []byte(`[{"0":1367961276286540487,"1":43,"2":0,"5":1,"6":null,"10":true,"13":false}]`))
	f.Add("0/53/8", []byte(`[{"0":0,"1":0,"2":0,"3":63,"8":true,"9":false}]`))
	f.Add("0/51/0", []byte(`[{"0":"wpan0","4":"Pumc7QzbXA0=","6":["/oAAAAAAAAA86ZztDNtcDQ=="],"7":4}]`))
	f.Add("0/62/1", []byte(`[{"1":"BJcx","3":1,"4":29,"254":1}]`))
	f.Add("0/53/5", []byte(`"QP0NuKXD5wAA"`))
	f.Fuzz(func(t *testing.T, path string, raw []byte) {
		attrs, _ := wsjson.Attributes(map[string]json.RawMessage{path: raw, "0/53/1": json.RawMessage("5")})
		r, problems := cluster.Report(attrs)
		if len(problems) > 51 || len(r.Children)+len(r.Neighbors) > 1024 {
			t.Fatalf("%d problems, %d rows", len(problems), len(r.Children)+len(r.Neighbors))
		}
	})
}
