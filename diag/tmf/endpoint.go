package tmf

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
)

// An agent is a border agent to be asked. host and port stand for a named one;
// of an announced one they are empty.
type agent struct {
	meshcop.Agent
	host, port string
}

// addresses are where to try, in order.
func (a agent) addresses() []string {
	if a.host != "" {
		return []string{net.JoinHostPort(a.host, a.port)}
	}
	var out []string
	for _, e := range a.Endpoints {
		out = append(out, e.String())
	}
	return out
}

// target names the agent in messages.
func (a agent) target() string { return a.addresses()[0] }

// Endpoint is the form in which a border agent is named to the source "thread":
// host and port, and which credential opens it: that of the network with that
// extended PAN id, or, for 0, whatever Source.Credentials has for an unnamed
// one. It holds no secret.
func Endpoint(hostport string, network diag.PANID64, oneTime bool) (diag.Endpoint, error) {
	u := "thread://" + hostport
	if network != 0 {
		u += "/" + network.String()
	}
	if oneTime {
		u += "?one-time"
	}
	_, err := parseEndpoint(u)
	return diag.Endpoint{Source: Name, URL: u}, err
}

// NetworkOf is the extended PAN id that an endpoint of this source names; 0: none.
func NetworkOf(e diag.Endpoint) diag.PANID64 {
	if e.Source != Name {
		return 0
	}
	a, _ := parseEndpoint(e.URL)
	return a.Network
}

var errEndpoint = errors.New("the address of the border agent can't be read")

// parseEndpoint reads that form: "thread://HOST:PORT", then "/" and an extended
// PAN id, then "?one-time" where the port is that of a one-time code. Its errors
// don't quote the URL: somebody may have put a secret into it.
func parseEndpoint(s string) (agent, error) {
	if len(s) > 512 {
		return agent{}, errEndpoint
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "thread://")
	if !ok {
		return agent{}, errors.New("the address of the border agent does not begin with thread://")
	}
	rest, oneTime := strings.CutSuffix(rest, "?one-time")
	hostport, id, named := strings.Cut(rest, "/")
	a := agent{}
	a.OneTime = oneTime
	if named && id != "" {
		var err error
		if a.Network, err = diag.ParsePANID64(id); err != nil {
			return agent{}, errors.New("the address of the border agent names no extended PAN id after its slash: want 16 hexadecimal digits")
		}
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || host == "" || strings.ContainsAny(host, " \t\r\n\x00/\\@?#") {
		return agent{}, errEndpoint
	}
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(unescapeZone(host))
		if err != nil {
			return agent{}, errEndpoint
		}
		host = addr.String()
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return agent{}, errors.New("the port of the border agent is not 1 to 65535")
	}
	a.host, a.port = host, port
	return a, nil
}

// unescapeZone turns the %25 of a URL (RFC 6874) into the % of an address.
func unescapeZone(host string) string {
	if t, err := url.PathUnescape(host); err == nil && strings.Contains(host, "%25") {
		return t
	}
	return host
}
