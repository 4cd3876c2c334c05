package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

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

func asksThread(srcs []diag.Source) bool {
	return slices.ContainsFunc(srcs, func(s diag.Source) bool { return s.Name() == tmf.Name })
}

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
// there is a credential of, and no border agent announced.
func (k keyring) unheard(scan *diag.Scan, all []discovery.Service) {
	announced := map[diag.PANID64]bool{}
	for _, a := range meshcop.Choose(all) {
		announced[a.Network] = announced[a.Network] || !a.OneTime
	}
	for _, id := range k.networks() {
		if announced[id] {
			continue
		}
		hint := "is a border router of it on, and on this LAN? threadmap login remove " + id.String() + " forgets the network"
		scan.Sources = append(scan.Sources, diag.SourceState{Name: tmf.Name, Via: id.String(), State: diag.StateFailed, Hint: hint})
		scan.Problems = append(scan.Problems, diag.Problem{Source: tmf.Name, Target: id.String(), Stage: diag.StageResolve,
			Text: fmt.Sprintf("no border agent of %s is announced", k.label(id)), Hint: hint, Partial: true})
		scan.Complete = false
	}
}

// wouldOpen is the hint that a credential would show a whole network, or "": no
// border agent of it lets a commissioner in with one.
func wouldOpen(n *services.Network, agents []meshcop.Agent) string {
	if !slices.ContainsFunc(agents, func(a meshcop.Agent) bool {
		return uint64(a.Network) == n.ExtPANID && n.ExtPANID != 0 && !a.OneTime && a.Closed == ""
	}) {
		return ""
	}
	return "threadmap login thread would show the whole mesh of " + n.Label()
}
