package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/homeassistant"
	"threadmap/diag/matterserver"
	"threadmap/diag/tmf"
	"threadmap/discovery"
)

// homes are the Home Assistants that there is a token for, by URL.
type homes struct {
	tokens  map[string]state.Token
	refused func(state.Token) // called when one is; nil: nobody wants to know
}

// homes reads the user's tokens. One that is refused is marked so for good.
func (a *app) homes(store *state.Store) (homes, error) {
	h := homes{tokens: map[string]state.Token{}}
	tokens, err := store.Tokens()
	for _, t := range tokens {
		h.tokens[t.URL] = t
	}
	h.refused = func(t state.Token) {
		if err := store.RefuseToken(context.Background(), t); err != nil {
			a.warn(fmt.Errorf("that the token of %s was refused can't be noted: %w: remove it with threadmap login remove", t.URL, err))
		}
	}
	return h, err
}

// source asks them.
func (h homes) source() homeassistant.Source {
	s := homeassistant.Source{
		Logins: func(url string) (homeassistant.Login, bool) {
			t, ok := h.tokens[url]
			return homeassistant.Login{Token: t.Token, Trust: t.Trust}, ok
		},
		OnRefused: func(url string) {
			if t, ok := h.tokens[url]; ok && h.refused != nil {
				h.refused(t)
			}
		},
	}
	if testICD != nil {
		s.Dial = testICD.dial
	}
	return s
}

// in puts them among the sources, with what the Matter servers behind them are to
// be asked.
func (h homes) in(srcs []diag.Source, askSleepy bool) []diag.Source {
	srcs = with(srcs, func(s *homeassistant.Source) { *s = h.source() })
	return with(srcs, func(s *matterserver.Source) { s.AskSleepy = askSleepy })
}

// A stage is a scan with what it asks ahead.
type stage struct {
	first func(context.Context) func(*diag.Scan) // nil: nothing
	plan  func([]discovery.Service) []diag.Probe
	said  ahead // what was, once first is over
}

// stage prepares a scan: Home Assistants are asked ahead for what opens others.
// The credentials that they lend go into keys, behind the user's own. plan plans
// the rest.
func (h homes) stage(srcs []diag.Source, endpoints []diag.Endpoint, keys keyring, plan func([]diag.Source, []diag.Endpoint) func([]discovery.Service) []diag.Probe) *stage {
	s := &stage{}
	s.plan = func(services []discovery.Service) []diag.Probe {
		return plan(with(srcs, func(m *matterserver.Source) { m.Doors = s.said.doors }), s.said.open(endpoints))(services)
	}
	home := asks(srcs, homeassistant.Name)
	datasets, doors := home && asks(srcs, tmf.Name), asks(srcs, matterserver.Name)
	if !datasets && !doors || !slices.ContainsFunc(endpoints, h.has) {
		return s
	}
	s.first = func(ctx context.Context) func(*diag.Scan) {
		said := h.ahead(ctx, endpoints, datasets)
		return func(scan *diag.Scan) {
			s.said = said
			for id, c := range said.lent {
				if _, have := keys[id]; !have {
					keys[id] = c
				}
			}
			said.apply(scan)
		}
	}
	return s
}

// has reports whether e is a Home Assistant that there is a token for.
func (h homes) has(e diag.Endpoint) bool {
	at, err := homeassistant.NormalizeURL(e.URL)
	return e.Source == homeassistant.Name && err == nil && !h.tokens[at].Token.IsZero()
}

// aheadLimit bounds what is asked ahead: longer than the time in which a Home
// Assistant that does not answer is given up.
const aheadLimit = 20 * time.Second

// An ahead is what Home Assistants say while the LAN is listened to: what opens
// others.
type ahead struct {
	lent     keyring             // credentials of Thread networks, in memory only
	doors    []matterserver.Door // to their Matter servers
	shut     []string            // URLs of those that let nobody in
	problems []diag.Problem
}

// ahead asks the Home Assistants among endpoints, for datasets only where they
// are of use.
func (h homes) ahead(ctx context.Context, endpoints []diag.Endpoint, datasets bool) ahead {
	ctx, cancel := context.WithTimeout(ctx, aheadLimit)
	defer cancel()
	out := ahead{lent: keyring{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, e := range endpoints {
		if !h.has(e) {
			continue // if anything, its probe says what is wrong
		}
		at, _ := homeassistant.NormalizeURL(e.URL)
		all.Go(func() {
			b, err := h.source().Beforehand(ctx, at, datasets)
			door, open := h.door(ctx, at, b, endpoints)
			mu.Lock()
			defer mu.Unlock()
			if open {
				out.doors = append(out.doors, door)
			}
			if !b.Reached {
				out.shut = append(out.shut, at)
			}
			if p := (diag.Problem{}); errors.As(err, &p) {
				out.problems = append(out.problems, p)
			}
			for _, d := range b.Datasets {
				if _, have := out.lent[d.ExtPANID]; !d.PSKc.IsZero() && (!have || d.Preferred) {
					out.lent[d.ExtPANID] = state.Credential{ExtPANID: d.ExtPANID, Network: d.Name, PSKc: d.PSKc, Added: time.Now().UTC().Truncate(time.Second)}
				}
			}
		})
	}
	all.Wait()
	slices.SortFunc(out.doors, func(a, b matterserver.Door) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(out.problems, func(a, b diag.Problem) int { return cmp.Compare(a.Target, b.Target) })
	return out
}

// door is the way to the Matter server of the Home Assistant at url: its own port
// where that is open, else through Home Assistant. There is none where the user
// named that server already.
func (h homes) door(ctx context.Context, at string, b homeassistant.Beforehand, endpoints []diag.Endpoint) (matterserver.Door, bool) {
	if !b.MatterServer || slices.ContainsFunc(endpoints, func(e diag.Endpoint) bool { return e.Source == matterserver.Name && sameHost(ctx, e.URL, at) }) {
		return matterserver.Door{}, false
	}
	through := matterserver.Dialer(h.source().MatterServer(at))
	u, err := url.Parse(at)
	if err != nil || b.Port == 0 {
		return matterserver.Door{Name: at + " (Matter server)", Dial: through}, true
	}
	open := "ws://" + net.JoinHostPort(u.Hostname(), strconv.Itoa(int(b.Port))) + "/ws"
	return matterserver.Door{Name: at + " (Matter server)", Dial: func(ctx context.Context, _ string) (*websocket.Conn, error) {
		direct, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		if ws, err := matterserver.Through(nil, nil)(direct, open); err == nil {
			return ws, nil
		}
		return through(ctx, "")
	}}, true
}

// sameHost reports whether two URLs lead to one host, be it by other names.
func sameHost(ctx context.Context, a, b string) bool {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	lookUp := func(s string) (host string, addrs []netip.Addr) {
		u, err := url.Parse(s)
		if err != nil {
			return "", nil
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
			return u.Hostname(), []netip.Addr{ip.Unmap()}
		}
		addrs, _ = net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
		for i := range addrs {
			addrs[i] = addrs[i].Unmap()
		}
		return u.Hostname(), addrs
	}
	x, xs := lookUp(a)
	y, ys := lookUp(b)
	return x == y && x != "" || slices.ContainsFunc(xs, func(p netip.Addr) bool { return slices.Contains(ys, p) })
}

// apply puts what was said into a scan, before the others are asked.
func (h ahead) apply(scan *diag.Scan) {
	scan.Problems = append(scan.Problems, h.problems...)
	for _, at := range h.shut {
		s := diag.SourceState{Name: homeassistant.Name, Via: at, State: diag.StateFailed}
		for _, p := range h.problems {
			if p.Target == at {
				s.Hint = p.Hint
			}
		}
		scan.Sources = append(scan.Sources, s)
		scan.Complete = false
	}
}

// open leaves out those that let nobody in: one wait, and one try of a token, is
// enough.
func (h ahead) open(endpoints []diag.Endpoint) []diag.Endpoint {
	return slices.DeleteFunc(slices.Clone(endpoints), func(e diag.Endpoint) bool {
		at, err := homeassistant.NormalizeURL(e.URL)
		return e.Source == homeassistant.Name && err == nil && slices.Contains(h.shut, at)
	})
}

// wouldName lists what a login to a Home Assistant that is announced would add,
// where there is none to any.
func wouldName(all []discovery.Service, asked []diag.Endpoint) []diag.SourceState {
	if slices.ContainsFunc(asked, func(e diag.Endpoint) bool { return e.Source == homeassistant.Name }) {
		return nil
	}
	found := homeassistant.FindAnnounced(all)
	switch {
	case len(found) == 0:
		return nil
	case len(found) == 1 && len(found[0].URLs) > 0:
		return []diag.SourceState{{Name: homeassistant.Name, Via: found[0].URLs[0], State: diag.StateSkipped,
			Hint: fmt.Sprintf("threadmap login ha would add the names and rooms that the Home Assistant %q has", clean(found[0].Name))}}
	}
	return []diag.SourceState{{Name: homeassistant.Name, State: diag.StateSkipped, Hint: "threadmap login ha would add the names and rooms that Home Assistant has"}}
}

// saveLent keeps the credentials that Home Assistants gave for a scan, but for those
// of networks that there is one of.
func (a *app) saveLent(ctx context.Context, store *state.Store, lent, own keyring) {
	saved := 0
	for _, id := range lent.networks() {
		if _, have := own[id]; have {
			continue
		}
		if err := a.addCredential(context.WithoutCancel(ctx), store, lent[id]); err != nil {
			a.warn(fmt.Errorf("the credential of %s is not saved: %w", lent.label(id), err))
			a.failed = true
			return
		}
		saved++
		a.hint("The credential of %s is saved: threadmap login remove %s forgets it.", clean(lent.label(id)), id)
	}
	if saved == 0 {
		a.hint("No credential is saved: Home Assistant gave none of a network that there is none of yet.")
	}
}
