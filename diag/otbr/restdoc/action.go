package restdoc

import (
	"encoding/json"
	"fmt"
	"strings"
)

// An Action is one task of /api/actions.
type Action struct {
	ID     string
	Type   string
	Status string   // pending, active, completed, stopped, failed
	Result []string // ids of the documents that it made
}

// Over reports whether the task will not change any more.
func (a Action) Over() bool {
	return a.Status == "completed" || a.Status == "stopped" || a.Status == "failed"
}

// maxActions is twice what OTBR keeps.
const maxActions = 400

// ParseActions reads /api/actions, /api/actions/<id>, and the answer to a task
// that was posted.
func ParseActions(body []byte) ([]Action, error) {
	if len(body) > MaxBytes {
		return nil, fmt.Errorf("task list: more than %d octets", MaxBytes)
	}
	var data value
	err := members(body, func(key string, v value) bool {
		if key == "data" {
			data = v
		}
		return true
	})
	var out []Action
	add := func(v value) bool {
		if json.Valid(v) {
			out = append(out, parseAction(v))
		}
		return true
	}
	switch {
	case err != nil:
	case first(data) == '{':
		add(data)
	case first(data) == '[':
		err = elements(data, maxActions, add)
	default:
		err = fmt.Errorf("no list of tasks in it")
	}
	if err != nil {
		return out, fmt.Errorf("task list: %w", err)
	}
	return out, nil
}

func parseAction(v value) Action {
	var a Action
	var f faults
	f.object("task", v, func(key string, v value) {
		switch key {
		case "id":
			if s := f.string(key, v); isID(s) {
				a.ID = s
			}
		case "type":
			a.Type = f.string(key, v)
		case "attributes":
			f.object(key, v, func(key string, v value) {
				if key == "status" {
					a.Status = strings.ToLower(f.string(key, v))
				}
			})
		case "relationships":
			a.Result = resultIDs(&f, v)
		}
	})
	return a
}

// resultIDs reads relationships.result.data.id. An older OTBR joins several
// ids by commas.
func resultIDs(f *faults, v value) (ids []string) {
	f.object("relationships", v, func(key string, v value) {
		if key != "result" {
			return
		}
		f.object(key, v, func(key string, v value) {
			if key != "data" {
				return
			}
			f.object(key, v, func(key string, v value) {
				if key != "id" {
					return
				}
				s, _ := text(v)
				for id := range strings.SplitSeq(s[:min(len(s), 1024)], ",") {
					if id = strings.TrimSpace(id); isID(id) {
						ids = append(ids, id)
					}
				}
			})
		})
	})
	return ids
}

// isID accepts what may stand in a path: the UUIDs and hexadecimal numbers of
// OTBR, and nothing that could lead to another path.
func isID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range s {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-') {
			return false
		}
	}
	return true
}
