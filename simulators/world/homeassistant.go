package world

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"threadmap/simulators/homeassistant"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
)

// The tokens of the simulated Home Assistant: of an administrator and of a user
// who is none. They are no secret: they open a simulated home.
const (
	AdminToken = "threadmap.simulated.administrator.token.0001"
	GuestToken = "threadmap.simulated.guest.token.0002"
)

// A HomeAssistant is the Home Assistant of the home, with its Matter server.
type HomeAssistant struct {
	URL    string // without a slash at the end
	Token  string // of an administrator
	Server *homeassistant.Server
	// MatterServer is the WebSocket of the Matter server, "" where its port is
	// closed and only the ingress leads there.
	MatterServer string
	Matter       *matterserver.Server
}

// HomeOptions are the knobs of a Home Assistant.
type HomeOptions struct {
	homeassistant.Options // Users, MatterServer and HomeKit have defaults
	Matter                matterserver.Options
	// OpenPort serves the Matter server at a port of its own, too.
	OpenPort bool
	// NoMatter: there is no Matter server.
	NoMatter bool
}

// HomeAssistant is that of the home; ok is false where it has none.
func (w *World) HomeAssistant() (h HomeAssistant, ok bool) {
	if w.home == nil {
		return HomeAssistant{}, false
	}
	return *w.home, true
}

// homeAssistant starts the home's Home Assistant.
func (w *World) homeAssistant(home *mesh.Home, o HomeOptions, address string) error {
	h := &HomeAssistant{Token: AdminToken}
	if o.Users == nil {
		o.Users = map[string]homeassistant.User{AdminToken: {Name: "Anna", Admin: true}, GuestToken: {Name: "Gus"}}
	}
	if o.Options.HomeKit == nil {
		o.Options.HomeKit = homeKit
	}
	if !o.NoMatter {
		o.Matter.Session = homeassistant.IngressSession
		var err error
		if h.Matter, err = matterserver.New(home, o.Matter); err != nil {
			return err
		}
		o.Options.MatterServer = h.Matter
		if o.OpenPort {
			at, err := w.serve(address, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				r.AddCookie(&http.Cookie{Name: "ingress_session", Value: homeassistant.IngressSession})
				h.Matter.ServeHTTP(rw, r)
			}))
			if err != nil {
				return fmt.Errorf("simulated Matter server: %w", err)
			}
			u, err := url.Parse(at)
			if err != nil {
				return err
			}
			port, _ := strconv.ParseUint(u.Port(), 10, 16)
			o.Port, h.MatterServer = uint16(port), "ws://"+u.Host+"/ws"
		}
	}
	var err error
	if h.Server, err = homeassistant.New(home, o.Options); err != nil {
		return err
	}
	if h.URL, err = w.serve(address, h.Server); err != nil {
		return fmt.Errorf("simulated Home Assistant: %w", err)
	}
	w.home = h
	return nil
}

// homeKit tells which nodes are HomeKit accessories, too.
func homeKit(n *mesh.Node) bool { return !n.BorderRouter && doHomeKit[n.Vendor] }

// announcement is what a Home Assistant announces of itself.
func (h *HomeAssistant) announcement(home *mesh.Home) (mdns.Service, error) {
	u, err := url.Parse(h.URL)
	if err != nil {
		return mdns.Service{}, err
	}
	at, err := netip.ParseAddrPort(net.JoinHostPort(u.Hostname(), u.Port()))
	if err != nil {
		return mdns.Service{}, err
	}
	const uuid = "0c6a7e1d5b8f4a3e9d2c1b0a99887766"
	return mdns.Service{Kind: "_home-assistant._tcp", Instance: home.Name, Host: uuid, Port: at.Port(), Addrs: []netip.Addr{at.Addr()}, TXT: [][]byte{
		[]byte("location_name=" + home.Name), []byte("uuid=" + uuid), []byte("version=2026.11.2"), []byte("external_url="), []byte("internal_url=" + h.URL),
		[]byte("base_url=" + h.URL), []byte("requires_api_password=True"),
	}}, nil
}
