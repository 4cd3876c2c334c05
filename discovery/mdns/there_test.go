package mdns

import (
	"net"
	"strings"
	"testing"
)

func TestThere(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skip("what interfaces there are is not told: ", err)
	}
	if err := There(nil); err != nil {
		t.Errorf("nothing was named: %v", err)
	}
	for _, i := range all {
		err := There([]string{i.Name})
		if up := i.Flags&net.FlagUp != 0; up != (err == nil) {
			t.Errorf("%s, up %v: %v", i.Name, up, err)
		}
	}
	if err := There([]string{all[0].Name, "nosuch0"}); err == nil || !strings.Contains(err.Error(), `"nosuch0"`) {
		t.Errorf("%v", err)
	}
}
