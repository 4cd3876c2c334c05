package matterserver

import (
	"context"
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/diag/matterserver/wsdoc"
)

// Info is what a server said when it was tried.
type Info struct {
	URL       string // normalised, without user info
	Server    string // what it runs on, as it says
	Schema    diag.Opt[uint64]
	Fabric    uint64 // compressed fabric id; 0: not said
	Nodes     int
	Reachable int            // those that the server can reach
	Networks  []diag.PANID64 // of its Thread nodes
	Names     map[diag.PANID64]string
}

// Check tries the server at url, for "threadmap login". nil for dial means that
// of [Source]. The error is one line with what to do about it.
func Check(ctx context.Context, dial Dialer, url string) (Info, error) {
	at, err := parseEndpoint(url)
	if err != nil {
		return Info{}, err
	}
	if dial == nil {
		dial = Through(nil, nil)
	}
	info := Info{URL: at.String(), Names: map[diag.PANID64]string{}}
	fail := func(err error) error {
		f := asFailure(err)
		if f.hint != "" {
			return fmt.Errorf("%s: %w: %s", info.URL, f, f.hint)
		}
		return fmt.Errorf("%s: %w", info.URL, f)
	}
	c, err := open(ctx, at.Full(), dial)
	if err != nil {
		return info, fail(err)
	}
	defer c.close()
	info.Server, info.Schema, info.Fabric = c.greeting.SDK, c.greeting.Schema, c.greeting.Fabric
	result, err := c.call(ctx, listWithin, "get_nodes", nil)
	if err != nil {
		return info, fail(err)
	}
	nodes, _, err := wsdoc.Nodes(result)
	if err != nil {
		return info, fail(&failure{text: err.Error(), hint: notOne})
	}
	for i := range nodes {
		if nodes[i].IsTest(c.greeting) {
			continue
		}
		info.Nodes++
		r, _ := nodes[i].Report(c.greeting)
		if r.Available.Or(false) {
			info.Reachable++
		}
		if xp := r.Network.ExtPANID; xp != 0 && !slices.Contains(info.Networks, xp) && len(info.Networks) < maxLanes {
			info.Networks = append(info.Networks, xp)
			info.Names[xp] = r.Network.Name
		}
	}
	return info, nil
}
