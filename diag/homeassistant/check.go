package homeassistant

import (
	"context"
	"encoding/json"
	"fmt"

	"threadmap/diag"
	"threadmap/diag/internal/apiurl"
)

// Info is what a Home Assistant said when it was tried, and what its token may
// do.
type Info struct {
	URL     string // normalised
	Version string
	Name    string         // of the home
	Admin   diag.Opt[bool] // whether the token's user is an administrator
	Plain   bool           // http: the token goes over the LAN readably
	// Gives lists, in words, what a scan can learn with this token, Withheld what
	// it can't, and why.
	Gives, Withheld []string
	// MatterServer tells that the Matter server is an app of this Home Assistant,
	// so that [Source.MatterServer] may reach it.
	MatterServer bool
}

// Check tries the Home Assistant at url with the token that Logins has for it,
// for "threadmap login ha URL". It asks for no secret and changes nothing. The
// error is one line with what to do about it; a token that was refused
// ([Token.Refused]) must not be tried again.
func (s Source) Check(ctx context.Context, url string) (Info, error) {
	at, err := parseEndpoint(url)
	if err != nil {
		return Info{}, err
	}
	info := Info{URL: at.String(), Plain: at.Scheme == "http"}
	login, ok := s.login(at)
	if !ok {
		return info, oneLine(at, &failure{text: "there is no token to try it with"})
	}
	c, done := s.newClient(at, login)
	defer done()
	conn, err := c.connect(ctx)
	if err != nil {
		s.refused(at, err)
		return info, oneLine(at, err)
	}
	defer conn.close()
	h, err := conn.home(ctx)
	info.Version, info.Name, info.Admin = conn.version, h.name, h.admin
	if err != nil && asFailure(err).fatal {
		return info, oneLine(at, err)
	}
	raw, err := conn.call(ctx, "config/device_registry/list", nil, registryWithin)
	if err != nil {
		return info, oneLine(at, err)
	}
	var g registry
	g.readDevices(raw)
	matter := 0
	for _, d := range g.devices {
		if d.matter.Node != 0 {
			matter++
		}
	}
	info.Gives = append(info.Gives, fmt.Sprintf("names, rooms and batteries (%s)", count(matter, "Matter device", "Matter devices")))
	for _, ask := range []func(context.Context, *socket, *home) error{info.matter, info.thread, info.apps} {
		if err := ask(ctx, conn, &h); err != nil {
			return info, oneLine(at, err)
		}
	}
	return info, nil
}

func (i *Info) gives(format string, args ...any) {
	i.Gives = append(i.Gives, fmt.Sprintf(format, args...))
}

func (i *Info) withholds(what, why string) {
	i.Withheld = append(i.Withheld, what+": "+why)
}

// matter asks whether the Matter integration could be asked.
func (i *Info) matter(ctx context.Context, s *socket, h *home) error {
	const what = "neighbors, routes and state of all Matter nodes"
	if !h.has("matter") {
		i.withholds(what, "Home Assistant has no Matter integration")
		return nil
	}
	entry, err := s.entry(ctx, "matter", "Matter")
	switch {
	case err != nil && asFailure(err).fatal:
		return err
	case err != nil:
		i.withholds(what, err.Error())
	case entry == "":
		i.withholds(what, "its Matter integration is not set up")
	default:
		i.gives("%s", what)
	}
	return nil
}

// thread asks how many Thread networks there are datasets of: a list without
// secrets, which only an administrator is shown.
func (i *Info) thread(ctx context.Context, s *socket, h *home) error {
	const what, others = "credentials of Thread networks", "border routers that Home Assistant hears"
	switch {
	case !h.has("thread"):
		i.withholds(what, "Home Assistant has no Thread integration")
		return nil
	case !h.admin.Or(true):
		i.withholds(what, "the token's user is no administrator")
		return nil
	}
	raw, err := s.call(ctx, "thread/list_datasets", nil, quickWithin)
	if err != nil {
		i.withholds(what, err.Error())
		if f := asFailure(err); f.fatal {
			return f
		}
		return nil
	}
	var list struct {
		Datasets json.RawMessage `json:"datasets"`
	}
	_ = json.Unmarshal(raw, &list)
	n, _ := rows[json.RawMessage](list.Datasets, maxDatasets)
	i.gives("credentials of %s", count(len(n), "Thread network", "Thread networks"))
	i.gives("%s", others)
	if h.has("otbr") {
		i.gives("its own border router")
	}
	return nil
}

// apps looks for the Matter server among the apps.
func (i *Info) apps(ctx context.Context, s *socket, h *home) error {
	if h.components == nil || !h.has("hassio") {
		return nil
	}
	_, err := s.matterServer(ctx)
	if err != nil && asFailure(err).fatal {
		return err
	}
	if i.MatterServer = err == nil; i.MatterServer {
		i.gives("fresh reads through its Matter server")
	}
	return nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// oneLine is a failure as an error: where, what, what to do.
func oneLine(at apiurl.URL, err error) error {
	f := asFailure(err)
	if f.hint != "" {
		return fmt.Errorf("%s: %w: %s", at, f, f.hint)
	}
	return fmt.Errorf("%s: %w", at, f)
}
