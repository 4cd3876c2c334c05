package dump

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/otbr/restdoc"
)

// readREST reads saved answers of a border router's REST, OTBR's of three
// generations and the ESP Thread BR's, with package restdoc, which says what
// it was written from. Single values (/node/rloc16) count only in a transcript
// that shows the URL.
func readREST(in *input, out *output) bool {
	kind := restdoc.Sniff(in.body)
	value, isValue := strings.CutPrefix(in.request, "/node/")
	isValue = isValue && slices.Contains(restdoc.Values, value) && in.json
	if kind == restdoc.KindUnknown || kind == restdoc.KindValue {
		if !isValue {
			return false
		}
	}
	br := out.borderRouter(in.host)
	if isValue {
		if err := restdoc.DecodeValue(value, in.body, &br.values); err != nil {
			out.refused = err
			return true
		}
		br.told = true
		out.source(sourceOTBR)
		return true
	}
	switch kind {
	case restdoc.KindEmpty:
		out.refused = errors.New("is an empty list: nothing had answered yet when it was saved; ask again some seconds later")
		return true
	case restdoc.KindActions, restdoc.KindVersion:
		out.refused = fmt.Errorf("is the %s of a border router, which says nothing about the mesh: save /api/devices, /api/diagnostics or /node", kind)
		return true
	case restdoc.KindError:
		out.refused = errors.New("is an error that a border router answered: ask again and save that")
		return true
	}
	reports, problems := restdoc.Decode(in.body, restdoc.Context{
		Source: sourceOTBR, Via: in.name, Session: br.values.Session, At: in.at, Network: br.network,
	})
	for _, p := range problems {
		out.problem(sourceOTBR, "%s", p.Text)
		out.problems[len(out.problems)-1].Hint = p.Hint
	}
	// The same thing asked again in a transcript: what was answered before is older,
	// by how much is not known.
	for _, i := range br.answers[in.request] {
		if old := &out.reports[i]; old.At.Equal(in.at) {
			old.At = time.Time{}
		}
	}
	first := len(out.reports)
	for _, r := range reports {
		if kind == restdoc.KindNode && len(reports) == 1 {
			br.network = r.Network
		}
		out.report(r)
	}
	br.answers[in.request] = nil
	for i := first; i < len(out.reports) && in.request != ""; i++ {
		br.answers[in.request] = append(br.answers[in.request], i)
	}
	if len(reports) == 0 && len(problems) == 0 {
		out.refused = fmt.Errorf("is the %s of a border router, but it names no node", kind)
	}
	return true
}

// A restRouter is one border router of a transcript.
type restRouter struct {
	host    string
	network diag.Network // as far as /node has said
	values  diag.Report  // single values
	told    bool
	answers map[string][]int // the reports of the last answer, by what was asked
}

func (o *output) borderRouter(host string) *restRouter {
	for _, br := range o.routers {
		if br.host == host {
			return br
		}
	}
	br := &restRouter{host: host, answers: map[string][]int{}, values: diag.Report{Source: sourceOTBR, Transport: diag.TransportThread, Session: strings.TrimSpace(o.in.session + " " + host)}}
	o.routers = append(o.routers, br)
	return br
}

// endREST reports what single values have said.
func (o *output) endREST() {
	for _, br := range o.routers {
		if br.told {
			o.report(br.values)
		}
	}
}
