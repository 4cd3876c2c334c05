package matterserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// An endpoint is where a server's WebSocket is. User info is kept apart, so
// that it can't get into a target, a report or a message.
type endpoint struct {
	scheme, host, port, path string
	user                     *url.Userinfo
}

// NormalizeURL turns what people type for a Matter server ("ha.local",
// "192.0.2.7:5580", "fd00::1", "http://ha.local:5580") into the URL of its
// WebSocket without user info: port 5580 where none is given (443 for wss) and
// path /ws.
func NormalizeURL(s string) (string, error) {
	e, err := parseEndpoint(s)
	if err != nil {
		return "", err
	}
	return e.String(), nil
}

// parseEndpoint's errors never quote s: it may hold a password or a token.
func parseEndpoint(s string) (endpoint, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return endpoint{}, errors.New("the URL of the Matter server is empty")
	case len(s) > 1024:
		return endpoint{}, errors.New("the URL of the Matter server is longer than 1024 characters")
	case strings.Contains(s, "hassio_ingress"):
		return endpoint{}, errors.New("the URL leads through Home Assistant's ingress, which needs its session: name the server itself, or log in to Home Assistant")
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && a.Is6() {
		s = "[" + strings.ReplaceAll(a.String(), "%", "%25") + "]"
	}
	if !strings.Contains(s, "://") {
		s = "ws://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return endpoint{}, errors.New("the URL of the Matter server can't be read")
	}
	e := endpoint{scheme: strings.ToLower(u.Scheme), host: lowerHost(u.Hostname()), port: u.Port(), path: strings.TrimRight(u.EscapedPath(), "/"), user: u.User}
	switch e.scheme {
	case "http":
		e.scheme = "ws"
	case "https":
		e.scheme = "wss"
	}
	switch {
	case e.scheme != "ws" && e.scheme != "wss":
		return endpoint{}, errors.New("the URL of the Matter server begins with neither ws:// nor wss://")
	case e.host == "" || strings.ContainsAny(e.host, " \t\r\n\x00/\\"):
		return endpoint{}, errors.New("the URL of the Matter server names no host")
	case strings.Contains(e.host, ":") && !isIPv6(e.host):
		return endpoint{}, errors.New("the host in the URL of the Matter server is neither a name nor an address")
	case u.RawQuery != "" || u.Fragment != "":
		return endpoint{}, errors.New("the URL of the Matter server goes on after its path: leave out what follows the \"?\" or \"#\"")
	case e.port == "" && e.scheme == "wss":
		e.port = "443"
	case e.port == "":
		e.port = "5580"
	}
	if n, err := strconv.ParseUint(e.port, 10, 16); err != nil || n == 0 {
		return endpoint{}, errors.New("the port in the URL of the Matter server is not 1 to 65535")
	}
	if e.path == "" {
		e.path = "/ws"
	}
	return e, nil
}

func isIPv6(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is6()
}

// lowerHost leaves the zone of a link-local address alone: interface names
// have case.
func lowerHost(h string) string {
	name, zone, scoped := strings.Cut(h, "%")
	if scoped {
		zone = "%" + zone
	}
	return strings.ToLower(name) + zone
}

func (e endpoint) hostPort() string {
	return net.JoinHostPort(strings.ReplaceAll(e.host, "%", "%25"), e.port)
}

// String is the URL without user info.
func (e endpoint) String() string { return e.scheme + "://" + e.hostPort() + e.path }

// full is the URL with its user info: for a Dialer only.
func (e endpoint) full() string {
	if e.user == nil {
		return e.String()
	}
	return fmt.Sprintf("%s://%s@%s%s", e.scheme, e.user, e.hostPort(), e.path)
}
