package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"threadmap/cmd/threadmap/internal/services"
	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/meshcop"
	"threadmap/discovery"
)

// A keyring has the credentials of Thread networks. An empty one is none.
type keyring map[diag.PANID64]state.Credential

// find is the credential that lets a commissioner into a network.
func (k keyring) find(network diag.PANID64) (tmf.Credential, bool) {
	c, ok := k[network]
	return tmf.Credential{Secret: c.PSKc}, ok
}

// fill reads the user's credentials.
func (k keyring) fill(store *state.Store) error {
	have, err := store.Credentials()
	for _, c := range have {
		k[c.ExtPANID] = c
	}
	return err
}

// networks lists the networks that there is a credential of.
func (k keyring) networks() []diag.PANID64 { return slices.Sorted(maps.Keys(k)) }

// label names a network for people.
func (k keyring) label(network diag.PANID64) string {
	return cmp.Or(k[network].Network, network.String())
}

// endpoint is a border agent at an address. Where several networks could be meant,
// which one must be said, by extended PAN id or name.
func (k keyring) endpoint(hostport, network string) (diag.Endpoint, error) {
	var fit []diag.PANID64
	for _, id := range k.networks() {
		if network == "" || strings.EqualFold(network, id.String()) || network == k[id].Network {
			fit = append(fit, id)
		}
	}
	switch {
	case len(fit) == 1:
		return tmf.Endpoint(hostport, fit[0], false)
	case len(k) == 0:
		return diag.Endpoint{}, errors.New("there is no credential to enter with: threadmap login thread, or --code")
	case len(fit) == 0:
		return diag.Endpoint{}, errors.New("there is no credential of the network after the slash: threadmap login list lists them")
	}
	var words []string
	for _, id := range fit {
		words = append(words, hostport+"/"+id.String())
	}
	return diag.Endpoint{}, fmt.Errorf("of which network is it? Write %s", list(words, "or"))
}

func asksThread(srcs []diag.Source) bool { return asks(srcs, tmf.Name) }

// left lists the networks that there is a credential of and that were not to be
// asked.
func (k keyring) left(asked []diag.Source, quick bool) (out []diag.SourceState) {
	if asksThread(asked) {
		return nil
	}
	hint := "left out by --source"
	if quick {
		hint = "left out by --quick"
	}
	for _, id := range k.networks() {
		out = append(out, diag.SourceState{Name: tmf.Name, Via: id.String(), State: diag.StateSkipped, Hint: hint})
	}
	return out
}

// unheard puts into a scan what was to be asked and could not be: networks that
// there is a credential of, of which no border agent is announced or named. Where
// nobody was listened to, they were left out.
func (k keyring) unheard(scan *diag.Scan, all []discovery.Service, listened bool, endpoints []diag.Endpoint) {
	announced := map[diag.PANID64]bool{}
	for _, e := range endpoints {
		announced[tmf.NetworkOf(e)] = true
	}
	for _, a := range meshcop.Choose(all) {
		announced[a.Network] = announced[a.Network] || !a.OneTime
	}
	for _, id := range k.networks() {
		if announced[id] {
			continue
		}
		if !listened {
			scan.Sources = append(scan.Sources, diag.SourceState{Name: tmf.Name, Via: id.String(), State: diag.StateSkipped, Hint: "left out by --source and --agent"})
			continue
		}
		hint := "is a border router of it on, and on this LAN? threadmap login remove " + id.String() + " forgets the network"
		scan.Sources = append(scan.Sources, diag.SourceState{Name: tmf.Name, Via: id.String(), State: diag.StateFailed, Hint: hint})
		scan.Problems = append(scan.Problems, diag.Problem{Source: tmf.Name, Target: id.String(), Stage: diag.StageResolve,
			Text: fmt.Sprintf("no border agent of %s is announced", k.label(id)), Hint: hint, Partial: true})
		scan.Complete = false
	}
}

// wouldOpen is the hint that a credential, or the one-time code that somebody has
// just asked a border router for, would show a whole network, or "": no border
// agent of it lets a commissioner in.
func wouldOpen(n *services.Network, agents []meshcop.Agent) string {
	if i := slices.IndexFunc(agents, func(a meshcop.Agent) bool { return uint64(a.Network) == n.ExtPANID && n.ExtPANID != 0 && a.OneTime }); i >= 0 {
		return fmt.Sprintf("%s waits for its one-time code: threadmap scan --code would show the whole mesh of %s", clean(agents[i].Instance), n.Label())
	}
	if !slices.ContainsFunc(agents, func(a meshcop.Agent) bool {
		return uint64(a.Network) == n.ExtPANID && n.ExtPANID != 0 && !a.OneTime && a.Closed == ""
	}) {
		return ""
	}
	return "threadmap login thread would show the whole mesh of " + n.Label()
}
