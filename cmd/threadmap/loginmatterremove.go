package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag/matter/commission"
	matterSession "threadmap/diag/matter/session"
	"threadmap/diag/matter/transport"
	"threadmap/discovery"
)

// removeLimit bounds what one device takes to forget the fabric.
const removeLimit = 45 * time.Second

// parseInstance reads an operational instance name.
func parseInstance(s string) (fabric, node uint64, ok bool) { return discovery.OperationalID(s) }

// removeMatter takes nodes off threadmap's fabric, and forgets them. With forget,
// also those that can't be asked. It returns what is gone.
func (a *app) removeMatter(ctx context.Context, store *state.Store, own *ownFabric, lan *lan, logins []state.Login, forget bool) (gone []state.Login, err error) {
	ep, err := listenMatter(ctx)
	if err != nil {
		return nil, err
	}
	defer ep.Close()
	var kept []error
	for _, l := range logins {
		n, ok := own.node(l)
		if !ok {
			continue
		}
		err := own.takeOff(ctx, ep, lan, n)
		switch {
		case ctx.Err() != nil:
			return gone, errors.Join(append(kept, ctx.Err())...)
		case err != nil && !forget:
			kept = append(kept, fail("%s is still on threadmap's fabric: %s; bring it to where it can be asked, or add --forget: then it keeps an entry %q, which its other apps can remove", own.nameOf(n), oneLineOf(err), fabricLabel))
			continue
		case err != nil:
			a.hint("%s could not be asked (%s): it keeps an entry %q, which its other apps can remove.", own.nameOf(n), oneLineOf(err), fabricLabel)
		}
		if _, err := store.RemoveNode(ctx, own.id(), n.Node); err != nil {
			return gone, errors.Join(append(kept, err)...)
		}
		gone = append(gone, l)
	}
	return gone, errors.Join(kept...)
}

func oneLineOf(err error) string { return strings.Join(strings.Fields(clean(plain(err))), " ") }

// takeOff asks one node to forget the fabric.
func (o *ownFabric) takeOff(ctx context.Context, ep *transport.Endpoint, lan *lan, n state.MatterNode) error {
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	at, parameters, margin, err := lan.locate(ctx, browseLimit, o.instance(n.Node))
	if err != nil {
		return err
	}
	dial := func(ctx context.Context) (*matterSession.Secure, error) {
		r, _ := o.load(n.Node)
		s, err := matterSession.CASE(ctx, ep, matterSession.CASEConfig{Member: o.authority.Member(), Node: n.Node, Record: &r, Addresses: at, Parameters: parameters, Margin: margin})
		if err == nil {
			o.save(n.Node, s.Record)
		}
		return s, err
	}
	s, err := dial(ctx)
	if err != nil {
		if commission.NotOnFabric(err) {
			return nil // it is not there: it was reset
		}
		return err
	}
	defer s.Close()
	return commission.Remove(ctx, s, dial)
}

// removeOwn is "login remove" for nodes of threadmap's own fabric; none given
// means all of them, and the fabric itself. What is gone is said even where
// something else is not.
func (a *app) removeOwn(ctx context.Context, store *state.Store, own *ownFabric, lan *lan, logins []state.Login, forget, json bool) error {
	all := logins == nil
	if all && own.authority == nil && !forget {
		return fail("threadmap has no Matter fabric: threadmap login matter makes one")
	}
	if all {
		logins = own.logins()
	}
	gone, err := a.removeMatter(ctx, store, own, lan, logins, forget)
	if all && err == nil {
		err = store.RemoveFabric(ctx)
	}
	if json && (err == nil || len(gone) > 0) {
		return errors.Join(err, a.printJSON(loginsDocument("threadmap-logins-removed", gone)))
	}
	return errors.Join(err, a.print(func(w io.Writer) error {
		for _, l := range gone {
			if _, err := fmt.Fprintf(w, "%s is forgotten.\n", clean(l.Name)); err != nil {
				return err
			}
		}
		if all && err == nil {
			_, err := fmt.Fprintln(w, "threadmap's Matter fabric is forgotten.")
			return err
		}
		return nil
	}))
}
