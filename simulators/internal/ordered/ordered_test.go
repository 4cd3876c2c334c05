package ordered

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestOrder(t *testing.T) {
	o := Object{{"z", uint64(math.MaxUint64)}, {"a", Object{{"\"", nil}}}, {"m", Object{}}}
	for want, o := range map[string]Object{
		`{"z":18446744073709551615,"a":{"\"":null},"m":{}}`: o,
		`{"z":18446744073709551615,"m":{}}`:                 o.Only(func(key string) bool { return key != "a" }),
		`{}`:                                                o.Only(func(string) bool { return false }),
	} {
		if got, err := json.Marshal(o); err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

func TestWhatIsNoJSON(t *testing.T) {
	if _, err := json.Marshal(Object{{"a", math.NaN()}}); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("%v", err)
	}
}
