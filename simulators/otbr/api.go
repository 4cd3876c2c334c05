package otbr

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxPage is the most entries that one answer holds, and the default.
const maxPage = 200

// A resource is an entry of a JSON:API collection.
type resource struct {
	id, kind      string
	attributes    object
	relationships object
	created       time.Time
	updated       time.Time // zero: never
}

// document is the resource as an answer holds it.
func (e resource) document(keep func(key string) bool) object {
	a := e.attributes
	if keep != nil {
		a = a.Only(keep)
	}
	a = append(slices.Clip(a), field{"created", stamp(e.created)})
	if !e.updated.IsZero() {
		a = append(a, field{"updated", stamp(e.updated)})
	}
	d := object{{"id", e.id}, {"type", e.kind}, {"attributes", a}}
	if e.relationships != nil {
		d = append(d, field{"relationships", e.relationships})
	}
	return d
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

// api answers what lies under /api, path without that.
func (s *Server) api(r *http.Request, path []string) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.settle(now)
	if len(path) == 0 || len(path) > 2 {
		return s.fail(http.StatusNotFound)
	}
	if path[0] == "actions" && len(path) == 1 && r.Method == http.MethodPost {
		return s.post(r, now)
	}
	var all []resource
	switch path[0] {
	case "node":
		if len(path) == 2 {
			return s.fail(http.StatusNotFound)
		}
		all = s.nodeResource()
		path = []string{"node", s.id.String()}
	case "devices":
		all = s.listDevices()
	case "actions":
		for _, a := range slices.Backward(s.actions) { // newest first
			all = append(all, a.resource(now))
		}
	case "diagnostics":
		all = s.diagnostics
	default:
		return s.fail(http.StatusNotFound)
	}
	switch {
	case r.Method == http.MethodDelete && (path[0] == "actions" || path[0] == "diagnostics"):
		return s.remove(path)
	case r.Method != http.MethodGet:
		return s.fail(http.StatusMethodNotAllowed)
	case len(path) == 2:
		for _, e := range all {
			if e.id == path[1] {
				return s.one(e, r)
			}
		}
		return s.fail(http.StatusNotFound)
	}
	return s.list(all, r, path[0] == "actions", now)
}

// bare reports whether the client asked for attributes without JSON:API's
// wrapping.
func bare(r *http.Request) bool {
	a := r.Header.Get("Accept")
	return strings.Contains(a, plainJSON) && !strings.Contains(a, jsonAPI)
}

func (s *Server) one(e resource, r *http.Request) reply {
	if bare(r) {
		return reply{http.StatusOK, plainJSON, pretty(e.attributes), true}
	}
	return reply{http.StatusOK, jsonAPI, pretty(object{{"data", e.document(sparse(r, e.kind))}}), true}
}

func (s *Server) list(all []resource, r *http.Request, actions bool, now time.Time) reply {
	total := len(all)
	offset := pageNumber(r, "page[offset]", 0, total)
	limit := pageNumber(r, "page[limit]", maxPage, maxPage)
	page := all[offset:min(offset+limit, total)]
	docs := []object{}
	for _, e := range page {
		keep := sparse(r, e.kind)
		if keep == nil && sparseAtAll(r) && !bare(r) {
			continue // the captured border router leaves out kinds that are not named, and counts them
		}
		if !bare(r) {
			docs = append(docs, e.document(keep))
		} else if keep != nil {
			docs = append(docs, e.attributes.Only(keep))
		} else {
			docs = append(docs, e.attributes)
		}
	}
	if bare(r) {
		return reply{http.StatusOK, plainJSON, pretty(docs), true}
	}
	collection := object{{"offset", offset}, {"limit", limit}, {"total", total}}
	if actions {
		pending := 0
		for _, a := range s.actions {
			if !a.over(now) {
				pending++
			}
		}
		collection = append(collection, field{"pending", pending})
	}
	return reply{http.StatusOK, jsonAPI, pretty(object{{"data", docs}, {"meta", object{{"collection", collection}}}}), true}
}

// pageNumber reads a parameter of paging; what is no number is ignored.
func pageNumber(r *http.Request, name string, otherwise, most int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 0 {
		return otherwise
	}
	return min(n, most)
}

// sparse is the filter of ?fields[kind]=a,b; nil: everything.
func sparse(r *http.Request, kind string) func(string) bool {
	list := r.URL.Query().Get("fields[" + kind + "]")
	if list == "" {
		return nil
	}
	names := strings.Split(list, ",")
	return func(key string) bool { return slices.Contains(names, key) }
}

func (s *Server) remove(path []string) reply {
	gone := func(id string) bool { return len(path) == 1 || id == path[1] }
	before := len(s.actions) + len(s.diagnostics)
	if path[0] == "actions" {
		s.actions = slices.DeleteFunc(s.actions, func(a *action) bool { return gone(a.id) })
	} else {
		s.diagnostics = slices.DeleteFunc(s.diagnostics, func(e resource) bool { return gone(e.id) })
	}
	if len(path) == 2 && len(s.actions)+len(s.diagnostics) == before {
		return s.fail(http.StatusNotFound)
	}
	return reply{status: http.StatusNoContent, headers: true}
}

// sparseAtAll reports whether the client named fields of any kind.
func sparseAtAll(r *http.Request) bool {
	for name := range r.URL.Query() {
		if strings.HasPrefix(name, "fields[") {
			return true
		}
	}
	return false
}
