package dump

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"threadmap/diag/matterserver/wsdoc"
)

// readBorderRouters reads the result of the Matter server's
// get_thread_border_routers: the announcements that it heard. Written from a
// captured answer.
func readBorderRouters(in *input, out *output) bool {
	if !in.json {
		return false
	}
	raw := json.RawMessage(in.body)
	if r := object(raw)["result"]; r != nil {
		raw = r
	}
	list, ok := array(raw)
	if !ok || len(list) == 0 {
		return false
	}
	first := object(list[0])
	if first["extPanIdHex"] != nil && first["collectedAt"] != nil {
		out.refused = errors.New("is the Matter server's Thread diagnostics, which is not read: save the answer of \"get_nodes\" instead")
		return true
	}
	if first["extAddressHex"] == nil {
		return false
	}
	reports, problems, _ := wsdoc.BorderRouters(raw, time.Time{}) // it is an array
	for _, p := range problems {
		out.problem(sourceMatter, "%s", p)
	}
	for _, r := range reports {
		r.Source = sourceMatter
		out.report(r)
	}
	return true
}

// cleanName bounds a name and leaves out what is no text.
func cleanName(s string) string {
	if len(s) > 128 {
		s = s[:128]
	}
	return strings.TrimSpace(strings.ToValidUTF8(s, ""))
}

// lineError names the line of a fault.
func lineError(n int, format string, args ...any) string {
	return fmt.Sprintf("line %d: ", n) + fmt.Sprintf(format, args...)
}
