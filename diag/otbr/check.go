package otbr

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"threadmap/diag"
	"threadmap/diag/otbr/restdoc"
)

// Info is what a border router said when it was tried.
type Info struct {
	URL         string // normalised, without user info
	NetworkName string
	ExtPANID    diag.PANID64
	ExtAddr     diag.ExtAddr
	Generation  int       // 1, 2 or 3; 0: not known
	APIVersion  string    // of generation 3
	State       diag.Role // RoleUnknown: its Thread interface is off
}

// Check tries the border router at url, for "threadmap login otbr URL". The
// error is one line with what to do about it.
func Check(ctx context.Context, h *http.Client, url string) (Info, error) {
	at, err := rest.Parse(url)
	if err != nil {
		return Info{}, err
	}
	c, done := newClient(h, at, pace{})
	defer done()
	info := Info{URL: at.String()}
	fail := func(err error) error {
		var f *failure
		if errors.As(err, &f) && f.hint != "" {
			return fmt.Errorf("%s: %w: %s", info.URL, err, f.hint)
		}
		return fmt.Errorf("%s: %w", info.URL, err)
	}
	body, err := c.get(ctx, "/node", typeJSON, quickWithin)
	if err != nil {
		return info, fail(err)
	}
	info.Generation = restdoc.Generation(body)
	reports, problems := restdoc.Decode(body, restdoc.Context{Source: Name, Via: info.URL})
	if len(reports) == 0 || info.Generation == 0 {
		text := "answered /node with something else"
		if len(problems) > 0 {
			text = problems[0].Text
		}
		return info, fail(&failure{text: text, hint: "is this the REST API of an OpenThread Border Router?"})
	}
	r := reports[0]
	info.NetworkName, info.ExtPANID, info.ExtAddr, info.State = r.Network.Name, r.Network.ExtPANID, ownExt(&r), r.Role
	if info.Generation > 1 {
		if body, err := c.get(ctx, "/.well-known/thread/br-rest", typeJSON, quickWithin); err == nil {
			if info.APIVersion = restdoc.APIVersion(body); info.APIVersion != "" {
				info.Generation = 3
			}
		}
	}
	return info, nil
}
