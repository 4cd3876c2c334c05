package main

import (
	"context"
	"time"

	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/diag/icd/parent"
	"threadmap/diag/otbr"
	"threadmap/diag/tmf"
	"threadmap/discovery"
)

// watchParent asks the device's parent, and nobody it does not need: through a
// border agent that there is a credential for, or an OpenThread border router's
// REST interface. The device itself is not asked.
func (w *icdWatch) watchParent(ctx context.Context, observe icd.Observe) error {
	if w.device.Ext == 0 {
		return &notHere{"the device's extended address is not known, so no parent can be asked for it", "scan with a login to its mesh first"}
	}
	known, keys, err := w.doors(ctx)
	if err != nil {
		return err
	}
	c := parent.Config{Device: w.device, Restarted: w.restarts.subscribeTimes(w.start), Note: func(s string) { w.say("parent: %s", s) }}
	if p := w.node.Parent; p != nil {
		c.Parent = p.RLOC16
	}
	for _, n := range w.home.doc.Map.Nodes {
		if n.Network == w.node.Network && n.Network != nil && n.RLOC16.IsRouter() {
			c.Routers = append(c.Routers, n.RLOC16)
		}
	}
	ways := []parent.Ask{}
	for _, s := range []struct {
		source diag.Source
		ask    func(diag.Known) func(context.Context, []diag.RLOC16) ([]diag.Report, []diag.Problem)
	}{
		{otbr.Source{}, otbr.Source{}.Routers},
		{tmf.Source{Credentials: keys.find}, tmf.Source{Credentials: keys.find}.Routers},
	} {
		if len(diag.Plan([]diag.Source{s.source}, known)) > 0 {
			ways = append(ways, s.ask(known))
		}
	}
	if len(ways) == 0 {
		return &notHere{"nobody can be asked for its parent", "threadmap login thread, or threadmap login otbr URL"}
	}
	// The first that answers is asked on; where it falls silent, the next.
	c.Ask = func(ctx context.Context, routers []diag.RLOC16) (reports []diag.Report, problems []diag.Problem) {
		for i, ask := range ways {
			r, p := ask(ctx, routers)
			problems = append(problems, p...)
			if len(r) > 0 || ctx.Err() != nil {
				if i > 0 {
					ways[0], ways[i] = ways[i], ways[0]
				}
				return r, problems
			}
		}
		return nil, problems
	}
	return parent.Watch(ctx, c, observe)
}

// doors are the ways into the device's mesh: what is logged in to, and border
// agents that are announced now.
func (w *icdWatch) doors(ctx context.Context) (diag.Known, keyring, error) {
	keys := keyring{}
	if w.home.store == nil {
		return diag.Known{}, keys, &notHere{"there are no logins", ""}
	}
	if err := keys.fill(w.home.store); err != nil {
		return diag.Known{}, keys, err
	}
	logins, err := w.home.store.Logins()
	if err != nil {
		return diag.Known{}, keys, err
	}
	var endpoints []diag.Endpoint
	for _, l := range logins {
		endpoints = append(endpoints, diag.Endpoint{Source: l.Source, URL: l.URL})
	}
	for _, url := range w.f.otbr.names {
		endpoints = append(endpoints, diag.Endpoint{Source: otbr.Name, URL: url})
	}
	homes, _ := w.homes(w.home.store)
	for id, c := range homes.ahead(ctx, endpoints, true).lent {
		if _, have := keys[id]; !have {
			keys[id] = c
		}
	}
	if n := w.node.Network; n != nil && n.ExtPANID != 0 { // no other mesh has it
		for id := range keys {
			if id != n.ExtPANID {
				delete(keys, id)
			}
		}
	}
	known := diag.Known{Endpoints: endpoints}
	if len(keys) > 0 {
		ctx, cancel := context.WithTimeout(ctx, browseLimit)
		defer cancel()
		l := *w.lan
		l.settle, l.adverts = browseSettle, nil
		l.kinds = discovery.Options{Kinds: []discovery.Kind{discovery.KindMeshCoP}}
		known.Services = l.browse(ctx, false, nil).Services
	}
	return known, keys, nil
}

// subscribeTimes is subscribe with the time of the restart.
func (r *restarts) subscribeTimes(start time.Time) <-chan time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan time.Time, 4)
	r.times = append(r.times, func(at icd.Seconds) {
		select {
		case c <- start.Add(time.Duration(at)):
		default:
		}
	})
	return c
}
