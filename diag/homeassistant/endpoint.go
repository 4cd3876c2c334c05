package homeassistant

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// defaultPort is Home Assistant's HTTP port where nobody chose another.
const defaultPort = "8123"

// An endpoint is where a Home Assistant is. It has no path: Home Assistant can't
// be served below one.
type endpoint struct{ scheme, host, port string }

// NormalizeURL turns what people type or copy for a Home Assistant
// ("homeassistant.local", "192.0.2.7:8123", "fd00::1",
// "http://ha.local:8123/lovelace/0") into a URL that always names its port: 8123
// where none is given, 443 for https.
func NormalizeURL(s string) (string, error) {
	e, err := parseEndpoint(s)
	if err != nil {
		return "", err
	}
	return e.String(), nil
}

// parseEndpoint's errors never quote s: it may hold a password.
func parseEndpoint(s string) (endpoint, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return endpoint{}, errors.New("the URL of Home Assistant is empty")
	case len(s) > 1024:
		return endpoint{}, errors.New("the URL of Home Assistant is longer than 1024 characters")
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && a.Is6() {
		s = "[" + strings.ReplaceAll(a.String(), "%", "%25") + "]"
	}
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return endpoint{}, errors.New("the URL of Home Assistant can't be read")
	}
	name, zone, scoped := strings.Cut(u.Hostname(), "%")
	if scoped {
		zone = "%" + zone // names of interfaces have case
	}
	e := endpoint{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(name) + zone, port: u.Port()}
	switch e.scheme {
	case "ws":
		e.scheme = "http"
	case "wss":
		e.scheme = "https"
	}
	switch {
	case e.scheme != "http" && e.scheme != "https":
		return endpoint{}, errors.New("the URL of Home Assistant begins with neither http:// nor https://")
	case u.User != nil:
		return endpoint{}, errors.New("the URL of Home Assistant has a user name in it: leave it out, the token is enough")
	case e.host == "" || strings.ContainsAny(e.host, " \t\r\n\x00/\\"):
		return endpoint{}, errors.New("the URL of Home Assistant names no host")
	case e.port == "" && e.scheme == "https":
		e.port = "443"
	case e.port == "":
		e.port = defaultPort
	}
	if n, err := strconv.ParseUint(e.port, 10, 16); err != nil || n == 0 {
		return endpoint{}, errors.New("the port in the URL of Home Assistant is not 1 to 65535")
	}
	return e, nil
}

// String is the URL, without a slash at the end.
func (e endpoint) String() string {
	return e.scheme + "://" + net.JoinHostPort(strings.ReplaceAll(e.host, "%", "%25"), e.port)
}
