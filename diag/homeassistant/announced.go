package homeassistant

import (
	"slices"
	"strconv"

	"threadmap/diag/internal/apiurl"
	"threadmap/discovery"
)

// An Announced is a Home Assistant that announces itself on the LAN.
type Announced struct {
	Name    string   // what the user calls the home
	UUID    string   // lasting; "": not said
	Version string   // "": not said
	URLs    []string // where to try it, best first; normalised
}

// FindAnnounced lists the Home Assistants among services. The internal URL that
// one announces tells http from https; without it both are worth a try.
func FindAnnounced(services []discovery.Service) []Announced {
	var out []Announced
	for i := range services {
		s := &services[i]
		if s.Kind != discovery.KindHomeAssistant {
			continue
		}
		t := discovery.ParseHomeAssistant(s.TXT)
		a := Announced{Name: clip(or(t.Name, s.Instance), 128), UUID: clip(t.UUID, 64), Version: clip(t.Version, 40)}
		add := func(url string) {
			if u, err := NormalizeURL(url); err == nil && url != "" && !slices.Contains(a.URLs, u) && len(a.URLs) < 16 {
				a.URLs = append(a.URLs, u)
			}
		}
		add(t.InternalURL)
		for _, scheme := range []string{"http", "https"} {
			for _, at := range s.Endpoints() {
				if addr := at.Addr(); !addr.IsLinkLocalUnicast() || addr.Zone() != "" {
					add(apiurl.URL{Scheme: scheme, Host: addr.String(), Port: strconv.Itoa(int(at.Port()))}.String())
				}
			}
		}
		out = append(out, a)
	}
	return out
}
