package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/homeassistant"
	"threadmap/diag/icd"
	"threadmap/diag/matterserver"
)

// listenHA listens to what Home Assistant, and its Matter server where that can be
// reached, tell of the device. Neither is asked to do anything with it.
func (w *icdWatch) listenHA(ctx context.Context, observe icd.Observe) error {
	if w.home.store == nil {
		return &notHere{"there are no logins", ""}
	}
	logins, err := w.home.store.Logins()
	if err != nil {
		return err
	}
	var endpoints []diag.Endpoint
	for _, l := range logins {
		endpoints = append(endpoints, diag.Endpoint{Source: l.Source, URL: l.URL})
	}
	if !slices.ContainsFunc(endpoints, func(e diag.Endpoint) bool {
		return e.Source == homeassistant.Name || e.Source == matterserver.Name
	}) {
		return &notHere{"there is no Home Assistant to listen to", "threadmap login ha"}
	}
	id, ok := w.idAtHome()
	if !ok {
		return &notHere{"no Home Assistant of the scan has the device", "scan again with it logged in to"}
	}
	homes, _ := w.homes(w.home.store)
	var all sync.WaitGroup
	var mu sync.Mutex
	var faults []error
	begun := 0
	listenTo := func(run func() error) {
		begun++
		all.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				faults = append(faults, err)
			}
		})
	}
	server := func(url string, dial matterserver.Dialer) {
		listenTo(func() error {
			return matterserver.Listen(ctx, url, matterserver.ListenOptions{Dial: dial, Node: id.Node}, func(at time.Time, e matterserver.Event) {
				observe.Tell(w.device.FromController(icd.ByHA, at, icd.ControllerEvent(e)))
			})
		})
	}
	for _, d := range homes.ahead(ctx, endpoints, false).doors {
		server(d.URL, d.Dial)
	}
	for _, e := range endpoints {
		switch e.Source {
		case matterserver.Name:
			server(e.URL, nil)
		case homeassistant.Name:
			listenTo(func() error {
				return homes.source().Listen(ctx, e.URL, id, func(at time.Time, e homeassistant.Event) {
					observe.Tell(w.device.FromController(icd.ByHA, at, icd.ControllerEvent(e)))
				})
			})
		}
	}
	if begun == 0 {
		return &notHere{"there is no Home Assistant to listen to", "threadmap login ha"}
	}
	all.Wait()
	return errors.Join(faults...)
}

// idAtHome is the device's number at the Home Assistant that the scan asked.
func (w *icdWatch) idAtHome() (diag.MatterID, bool) {
	for _, r := range slices.Backward(w.node.Reports) {
		if (r.Source == homeassistant.Name || r.Source == matterserver.Name) && len(r.Matter) > 0 {
			return r.Matter[0], true
		}
	}
	return diag.MatterID{}, false
}
