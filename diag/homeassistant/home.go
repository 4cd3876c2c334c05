package homeassistant

import (
	"context"
	"encoding/json"
	"fmt"

	"threadmap/diag"
)

// A home is what a Home Assistant says of itself.
type home struct {
	name       string
	components map[string]bool // nil: not told
	running    bool            // false: it said that it is still starting
	admin      diag.Opt[bool]  // of the token's user
}

// has reports whether an integration may be there: a question about one that is
// not is answered "unknown_command".
func (h *home) has(component string) bool { return h.components == nil || h.components[component] }

// home asks who is there. err is the first thing that went wrong; the rest is
// asked all the same unless the conversation is over.
func (s *socket) home(ctx context.Context) (h home, err error) {
	h.running = true
	raw, err := s.call(ctx, "get_config", nil, quickWithin)
	if err == nil {
		var c struct {
			Components json.RawMessage `json:"components"`
			Name       text            `json:"location_name"`
			State      text            `json:"state"`
			Version    text            `json:"version"`
		}
		_ = json.Unmarshal(raw, &c) // another shape says nothing
		h.name, h.running = string(c.Name), c.State == "" || c.State == "RUNNING"
		s.version = or(s.version, string(c.Version))
		const most = 20_000 // platforms are among them: "sensor.hue"
		if list, _ := rows[text](c.Components, most); list != nil {
			h.components = map[string]bool{}
			for _, name := range list {
				h.components[string(name)] = true
			}
		}
	} else if asFailure(err).fatal {
		return h, err
	}
	raw, err2 := s.call(ctx, "auth/current_user", nil, quickWithin)
	if err2 == nil {
		var u struct {
			Admin json.RawMessage `json:"is_admin"`
		}
		_ = json.Unmarshal(raw, &u)
		h.admin = boolean(u.Admin)
	} else if asFailure(err2).fatal {
		return h, err2
	}
	return h, err
}

// An entryRow is a row of config_entries/get.
type entryRow struct {
	ID       text            `json:"entry_id"`
	Domain   text            `json:"domain"`
	State    text            `json:"state"`
	Disabled json.RawMessage `json:"disabled_by"`
}

// entry finds the entry of an integration that is loaded; id is "" where it has
// none. An entry that is not loaded is an error.
func (s *socket) entry(ctx context.Context, domain, name string) (id string, err error) {
	raw, err := s.call(ctx, "config_entries/get", map[string]any{"domain": domain}, quickWithin)
	if err != nil {
		return "", err
	}
	const most = 1000
	list, _ := rows[entryRow](raw, most)
	for _, e := range list {
		switch {
		case string(e.Domain) != domain || len(e.Disabled) > 0 && string(e.Disabled) != "null":
		case e.State != "loaded":
			err = &failure{stage: diag.StageAsk, text: fmt.Sprintf("its %s integration is not loaded (%s)", name, or(clip(string(e.State), 40), "in no state")),
				hint: "look at it in Home Assistant's settings; after a start it may take a minute"}
		default:
			return string(e.ID), nil
		}
	}
	return "", err
}
