package otbr

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// An endpoint is where a border router's API is. User info is kept apart, so
// that it can't get into a target, a report or a message.
type endpoint struct {
	scheme, host, port string
	path               string // of a reverse proxy; no slash at the end
	user               *url.Userinfo
}

// NormalizeURL turns what people type for a border router ("br.local",
// "192.0.2.7:8081", "fd00::1", "https://br.example/otbr") into a URL without user
// info that always names its port: 8081 where none is given, 443 for https.
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
	if s == "" {
		return endpoint{}, fmt.Errorf("the URL of the border router is empty")
	}
	if len(s) > 1024 {
		return endpoint{}, fmt.Errorf("the URL of the border router is longer than 1024 characters")
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && a.Is6() {
		s = "[" + strings.ReplaceAll(a.String(), "%", "%25") + "]"
	}
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return endpoint{}, fmt.Errorf("the URL of the border router can't be read")
	}
	e := endpoint{scheme: strings.ToLower(u.Scheme), host: lowerHost(u.Hostname()), port: u.Port(), path: strings.TrimRight(u.EscapedPath(), "/"), user: u.User}
	switch {
	case e.scheme != "http" && e.scheme != "https":
		return endpoint{}, fmt.Errorf("the URL of the border router begins with neither http:// nor https://")
	case e.host == "" || strings.ContainsAny(e.host, " \t\r\n\x00/\\"):
		return endpoint{}, fmt.Errorf("the URL of the border router names no host")
	case e.port == "" && e.scheme == "https":
		e.port = "443"
	case e.port == "":
		e.port = "8081"
	}
	if n, err := strconv.ParseUint(e.port, 10, 16); err != nil || n == 0 {
		return endpoint{}, fmt.Errorf("the port in the URL of the border router is not 1 to 65535")
	}
	return e, nil
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

// String is the URL without user info.
func (e endpoint) String() string {
	return e.scheme + "://" + net.JoinHostPort(strings.ReplaceAll(e.host, "%", "%25"), e.port) + e.path
}
