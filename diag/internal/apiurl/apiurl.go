// Package apiurl reads the URL of a server's API as people type or copy it: a
// host name, an address with or without a port, a whole URL. What is left out
// is added, so that the same server is always written the same way.
//
// The sources that ask such a server (diag/otbr, diag/homeassistant,
// diag/matterserver) say what theirs is like in an [API].
package apiurl

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds in octets.
const (
	maxURL  = 1024
	maxHost = 255 // a DNS name has fewer, with a zone too
)

// An API is what URLs of one kind of server have in common.
type API struct {
	Of            string            // whose URL it is, for messages: "the border router"
	Plain, Secure string            // the schemes without and with TLS; Plain where none is given
	Alias         map[string]string // further schemes, and which of the two each stands for
	Port          string            // of Plain, where none is given; that of Secure is 443
}

// A URL is where an API is. User info is kept apart, so that it can't get into a
// target, a report or a message: only Full has it.
type URL struct {
	Scheme, Host, Port string // of an IPv6 address without brackets; the port is always there
	Path               string // no slash at the end
	User               *url.Userinfo
	More               bool // a query or a fragment came after the path, and is left out
}

// Parse reads s. Its errors are one line and never quote s: it may hold a
// password or a token.
func (api API) Parse(s string) (URL, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return URL{}, fmt.Errorf("the URL of %s is empty", api.Of)
	case len(s) > maxURL:
		return URL{}, fmt.Errorf("the URL of %s is longer than %d characters", api.Of, maxURL)
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && a.Is6() {
		s = "[" + strings.ReplaceAll(a.String(), "%", "%25") + "]"
	}
	if !strings.Contains(s, "://") {
		s = api.Plain + "://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return URL{}, fmt.Errorf("the URL of %s can't be read", api.Of)
	}
	out := URL{
		Scheme: strings.ToLower(u.Scheme), Host: lowerHost(u.Hostname()), Port: u.Port(),
		Path: strings.TrimRight(u.EscapedPath(), "/"), User: u.User,
		More: u.RawQuery != "" || u.Fragment != "",
	}
	if meant, ok := api.Alias[out.Scheme]; ok {
		out.Scheme = meant
	}
	switch {
	case out.Scheme != api.Plain && out.Scheme != api.Secure:
		return URL{}, fmt.Errorf("the URL of %s begins with neither %s:// nor %s://", api.Of, api.Plain, api.Secure)
	case out.Host == "" || len(out.Host) > maxHost || !utf8.ValidString(u.Hostname()) || strings.ContainsAny(out.Host, " \t\r\n\x00/\\"):
		return URL{}, fmt.Errorf("the URL of %s names no host", api.Of)
	case strings.Contains(out.Host, ":") && !isIPv6(out.Host):
		return URL{}, fmt.Errorf("the host in the URL of %s is neither a name nor an address", api.Of)
	case out.Port == "" && out.Scheme == api.Secure:
		out.Port = "443"
	case out.Port == "":
		out.Port = api.Port
	}
	if n, err := strconv.ParseUint(out.Port, 10, 16); err != nil || n == 0 {
		return URL{}, fmt.Errorf("the port in the URL of %s is not 1 to 65535", api.Of)
	}
	if len(out.String()) > maxURL { // escaping makes a path longer
		return URL{}, fmt.Errorf("the URL of %s is longer than %d characters", api.Of, maxURL)
	}
	return out, nil
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

func (u URL) hostPort() string {
	return net.JoinHostPort(strings.ReplaceAll(u.Host, "%", "%25"), u.Port)
}

// String is the URL without user info.
func (u URL) String() string { return u.Scheme + "://" + u.hostPort() + u.Path }

// Full is the URL with its user info: for whoever connects, nobody else.
func (u URL) Full() string {
	if u.User == nil {
		return u.String()
	}
	return u.Scheme + "://" + u.User.String() + "@" + u.hostPort() + u.Path
}
