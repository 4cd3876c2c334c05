package otbr

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// Bounds of what clients can make the border router keep.
const (
	maxBody        = 64 << 10
	maxActions     = 200
	maxDiagnostics = 200
)

const (
	updateTask     = "updateDeviceCollectionTask"
	diagnosticTask = "getNetworkDiagnosticTask"
)

// An action is a task that a client posted.
type action struct {
	id, kind     string
	asked        object       // attributes of the request, in order
	target       diag.ExtAddr // of a diagnostic; 0: nobody answers there
	batch        int          // the request that it came with
	types        map[string]bool
	begun, ended time.Time
	giveUp       time.Time
	status       string // at the end
	result       string // id of the diagnostic, "" for none
	settled      bool
}

func (a *action) over(now time.Time) bool { return !now.Before(a.ended) }

// state is the action's status: at first it waits.
func (a *action) state(now time.Time) string {
	switch {
	case a.over(now):
		return a.status
	case now.Before(a.begun.Add(a.ended.Sub(a.begun) / 4)):
		return "pending"
	}
	return "active"
}

func (a *action) resource(now time.Time) resource {
	attributes := append(slices.Clip(a.asked), field{"status", a.state(now)})
	if !a.over(now) {
		attributes = append(slices.Clip(a.asked), field{"timeout", int(a.giveUp.Sub(now) / time.Second)}, field{"status", a.state(now)})
	}
	e := resource{id: a.id, kind: a.kind, attributes: attributes, created: a.begun}
	if a.result != "" {
		e.relationships = object{{"result", object{{"data", object{{"type", "diagnostics"}, {"id", a.result}}}}}}
	}
	return e
}

// posted is the body of POST /api/actions.
type posted struct {
	Data []struct {
		Type       string `json:"type"`
		Attributes struct {
			MaxAge          *int     `json:"maxAge"`
			MaxRetries      *int     `json:"maxRetries"`
			DeviceCount     *int     `json:"deviceCount"`
			Timeout         *int     `json:"timeout"`
			Destination     string   `json:"destination"`
			DestinationType string   `json:"destinationType"`
			Types           []string `json:"types"`
		} `json:"attributes"`
	} `json:"data"`
}

// post is POST /api/actions. All of its actions are right, or none is begun.
func (s *Server) post(r *http.Request, now time.Time) reply {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return s.fail(http.StatusRequestEntityTooLarge)
	}
	if t := r.Header.Get("Content-Type"); !strings.HasPrefix(t, jsonAPI) && !strings.HasPrefix(t, plainJSON) {
		return s.fail(http.StatusUnsupportedMediaType)
	}
	var p posted
	if err := json.Unmarshal(body, &p); err != nil {
		return s.fail(http.StatusBadRequest)
	}
	if len(p.Data) == 0 || len(p.Data) > maxActions {
		return s.fail(http.StatusUnprocessableEntity)
	}
	var begun []*action
	s.batch++
	for _, d := range p.Data {
		a := &action{kind: d.Type, begun: now, batch: s.batch, status: "completed"}
		timeout := 60
		if d.Attributes.Timeout != nil {
			timeout = *d.Attributes.Timeout
		}
		if timeout <= 0 || timeout > 86400 {
			return s.fail(http.StatusUnprocessableEntity)
		}
		a.giveUp = now.Add(time.Duration(timeout)*time.Second - 1) // the first answer shows a second less
		a.ended = now.Add(s.o.ActionTime)
		switch d.Type {
		case updateTask:
			for _, f := range []struct {
				key   string
				value *int
			}{{"maxAge", d.Attributes.MaxAge}, {"maxRetries", d.Attributes.MaxRetries}, {"deviceCount", d.Attributes.DeviceCount}} {
				if f.value != nil {
					a.asked = append(a.asked, field{f.key, *f.value})
				}
			}
		case diagnosticTask:
			if !s.diagnose(a, d.Attributes.Destination, d.Attributes.DestinationType, d.Attributes.Types) {
				return s.fail(http.StatusUnprocessableEntity)
			}
		default:
			return s.fail(http.StatusUnprocessableEntity)
		}
		if a.ended.After(a.giveUp) {
			a.ended, a.status = a.giveUp, "stopped"
		}
		a.id = s.uuid()
		begun = append(begun, a)
	}
	docs := []object{}
	for _, a := range begun {
		docs = append(docs, object{{"id", a.id}, {"type", a.kind}, {"attributes", append(slices.Clip(a.asked),
			field{"timeout", int(a.giveUp.Sub(now) / time.Second)}, field{"status", "pending"})}})
	}
	s.actions = append(s.actions, begun...)
	if extra := len(s.actions) - maxActions; extra > 0 {
		s.actions = slices.Delete(s.actions, 0, extra)
	}
	compact, err := json.Marshal(object{{"data", docs}, {"meta", object{{"collection", object{{"offset", 0}, {"limit", maxPage}, {"total", len(docs)}}}}}})
	if err != nil {
		return s.fail(http.StatusInternalServerError)
	}
	return reply{http.StatusOK, jsonAPI, compact, true}
}

// diagnose fills in an action that asks one node; false where the question is
// not one.
func (s *Server) diagnose(a *action, destination, kind string, types []string) bool {
	a.types = map[string]bool{}
	for _, t := range types {
		known, ok := s.diagnosticType(t)
		if !ok {
			return false
		}
		a.types[known] = true
	}
	node, found, ok := s.destination(destination, kind)
	if !ok || len(types) == 0 {
		return false
	}
	a.asked = object{{"destination", destination}, {"destinationType", found}, {"types", types}}
	v := s.view
	switch {
	case node < 0 || v.Node(node).Partition != v.Node(s.self).Partition || !v.Answers(node) && node != s.self:
		a.ended, a.status = a.giveUp, "stopped"
	default:
		a.target, a.ended = v.Node(node).ExtAddr, a.ended.Add(v.Delay(node))
	}
	return true
}

// destination finds the node that a client means; ok is false for what can be
// no address.
func (s *Server) destination(text, kind string) (node int, found string, ok bool) {
	if v, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 16); err == nil && len(text) == 6 && strings.HasPrefix(text, "0x") && (kind == "" || kind == "rloc16") {
		return s.view.ByRLOC16(s.view.Node(s.self).Partition, uint16(v)), "rloc16", true
	}
	x, err := diag.ParseExtAddr(text)
	if err != nil || len(text) != 16 {
		return -1, "", false
	}
	if kind != "mleid" {
		if i := s.view.Find(x); i >= 0 || kind == "extended" {
			return i, "extended", true
		}
	}
	for i := range s.view.Mesh().Nodes {
		if s.view.Node(i).MLEIID == uint64(x) {
			return i, "mleid", true
		}
	}
	return -1, "extended", true
}

// settle does what the actions that have ended meanwhile were to do.
func (s *Server) settle(now time.Time) {
	due := slices.DeleteFunc(slices.Clone(s.actions), func(a *action) bool { return a.settled || !a.over(now) })
	slices.SortStableFunc(due, func(a, b *action) int { return a.ended.Compare(b.ended) })
	for _, a := range due {
		a.settled = true
		switch {
		case a.status != "completed":
		case a.kind == updateTask:
			s.devices = s.collect(a.ended)
		case a.kind == diagnosticTask:
			i := s.view.Find(a.target)
			if i < 0 {
				a.status = "failed" // it left the mesh meanwhile
				continue
			}
			lost := s.view.LostLists(i) || !s.o.KeepLists && s.far(i) && s.crowded(a)
			a.result = s.uuid()
			s.diagnostics = append(s.diagnostics, resource{
				id: a.result, kind: "networkDiagnostics", created: a.ended,
				attributes: s.words(networkDiagnostics(s.view, i, a.types, lost)),
			})
			if extra := len(s.diagnostics) - maxDiagnostics; extra > 0 {
				s.diagnostics = slices.Delete(s.diagnostics, 0, extra)
			}
		}
	}
}

// crowded reports whether another diagnostic ran at the same time.
func (s *Server) crowded(a *action) bool {
	return slices.ContainsFunc(s.actions, func(b *action) bool {
		return b != a && b.kind == diagnosticTask && (b.batch == a.batch || b.begun.Before(a.ended) && a.begun.Before(b.ended))
	})
}

// far reports whether node i is no direct neighbor of the border router.
func (s *Server) far(i int) bool {
	return i != s.self && !slices.ContainsFunc(s.view.RouterNeighbors(s.self), func(r mesh.NeighborRow) bool { return r.Node == i })
}

// uuid is a random id in its usual form.
func (s *Server) uuid() string {
	a, b := s.rng.Uint64(), s.rng.Uint64()
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}
