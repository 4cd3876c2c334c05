package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/otbr"
)

// loginLimit bounds the question whether a border router is there.
const loginLimit = 15 * time.Second

func (a *app) loginCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "login",
		Short: "tell threadmap of what it may ask",
		Long: `Tell threadmap of what it may ask in every scan from now on. Logins are kept in
files that are for your user alone.`,
		Args: cobra.ArbitraryArgs,
		RunE: group("login"),

		DisableFlagsInUseLine: true,
	}
	c.AddCommand(a.loginOTBRCommand(), a.loginThreadCommand(), a.loginHACommand(), a.loginMatterServerCommand(), a.loginMatterCommand(), a.loginListCommand(), a.loginRemoveCommand())
	return c
}

func (a *app) loginOTBRCommand() *cobra.Command {
	var l look
	limit := durationFlag(loginLimit)
	c := &cobra.Command{
		Use:   "otbr URL",
		Short: "an OpenThread border router with its REST interface",
		Long: `Remember an OpenThread border router that has its REST interface switched on:
http://HOST:8081, where http:// and :8081 may be left out. It is asked who it is
first, and remembered only if it answers. The interface knows no passwords, so a
URL with a user name or a password is refused.`,
		Example: "  threadmap login otbr otbr.local\n  threadmap login otbr http://[fd00::1]:8081",
		Args:    between(1, 1),
	}
	l.jsonFlag(c)
	c.Flags().Var(&limit, "timeout", "give up after this time")
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		url, err := checkURL(args[0])
		if err != nil {
			return usage(c, "%v: want http://HOST:8081", err)
		}
		store, err := a.store()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), time.Duration(limit))
		defer cancel()
		info, err := otbr.Check(ctx, nil, url)
		if err != nil {
			return err
		}
		login := state.Login{Source: otbr.Name, URL: info.URL, Network: info.NetworkName, ExtPANID: info.ExtPANID.String(), Added: time.Now().UTC().Truncate(time.Second)}
		if err := a.keepPlace(c.Context(), store, login, "border router of "+networkWords(login), l); err != nil || l.json {
			return err
		}
		if info.State == diag.RoleUnknown {
			a.hint("Its Thread interface is off: start Thread on it before you scan.")
			return nil
		}
		a.hint("Try: threadmap scan")
		return nil
	})
	return c
}

// keepPlace remembers a place that answered, and says what it is.
func (a *app) keepPlace(ctx context.Context, store *state.Store, login state.Login, what string, l look) error {
	if err := a.addLogin(ctx, store, login); err != nil {
		return err
	}
	if l.json {
		return a.printJSON(loginsDocument("threadmap-login", []state.Login{login}))
	}
	return a.print(func(w io.Writer) error {
		_, err := fmt.Fprintln(w, clean(fmt.Sprintf("%s: %s. It is asked in every scan from now on.", login.URL, what)))
		return err
	})
}

// addLogin keeps a login, and tells of a damaged file that was in its way.
func (a *app) addLogin(ctx context.Context, store *state.Store, l state.Login) error {
	aside, err := store.AddLogin(ctx, l)
	if err == nil && aside != "" {
		a.hint("The logins could not be read; they are kept as %s.", aside)
	}
	return err
}

// addCredential is addLogin for the credential of a Thread network.
func (a *app) addCredential(ctx context.Context, store *state.Store, cred state.Credential) error {
	aside, err := store.AddCredential(ctx, cred)
	a.hintCredentialsAside(aside, err)
	return err
}

func (a *app) hintCredentialsAside(aside string, err error) {
	if err == nil && aside != "" {
		a.hint("The credentials could not be read; they are kept as %s.", aside)
	}
}

func networkWords(l state.Login) string {
	switch {
	case l.Name != "":
		return l.Name
	case l.Network != "" && l.ExtPANID != "":
		return fmt.Sprintf("%s (%s)", l.Network, l.ExtPANID)
	case l.Network+l.ExtPANID != "":
		return l.Network + l.ExtPANID
	}
	return "a network that it does not name"
}

// A loginDoc is a login as programs see it.
type loginDoc struct {
	Source   string  `json:"source"`
	URL      *string `json:"url"` // null: asked wherever it is announced
	Network  *string `json:"network"`
	ExtPANID *string `json:"ext_pan_id"`
	Added    *string `json:"added"`
	Name     *string `json:"name"` // what the place calls itself
	// Of a Home Assistant: whether its token was refused; and, when logging in,
	// whether the token's user is an administrator, what it gives and what not.
	Refused  bool     `json:"refused,omitempty"`
	Admin    *bool    `json:"admin,omitempty"`
	Gives    []string `json:"gives,omitempty"`
	Withheld []string `json:"withheld,omitempty"`
	// Of a Matter device: its fabric (compressed id) and node id, 16 hex digits,
	// whether its pairing was cut short, and, when pairing, who made it.
	Fabric      *string         `json:"fabric,omitempty"`
	Node        *string         `json:"node,omitempty"`
	Pending     bool            `json:"pending,omitempty"`
	Attestation *attestationDoc `json:"attestation,omitempty"`
}

// A loginsDoc is the document of the login verbs.
type loginsDoc struct {
	Format  string     `json:"format"`
	Version int        `json:"version"`
	Logins  []loginDoc `json:"logins"`
}

func loginsDocument(format string, logins []state.Login) *loginsDoc {
	doc := &loginsDoc{format, 1, []loginDoc{}}
	known := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	for _, l := range logins {
		d := loginDoc{Source: l.Source, URL: known(l.URL), Network: known(l.Network), ExtPANID: known(l.ExtPANID), Name: known(l.Name)}
		if !l.Added.IsZero() {
			d.Added = known(l.Added.Format(time.RFC3339))
		}
		d.Fabric, d.Node = fabricAndNode(l)
		doc.Logins = append(doc.Logins, d)
	}
	return doc
}

func (a *app) loginListCommand() *cobra.Command {
	var l look
	c := &cobra.Command{Use: "list", Short: "list what threadmap was told of", Args: atMost(0)}
	l.jsonFlag(c)
	c.RunE = verb(func(*cobra.Command, []string) error {
		store, err := a.store()
		if err != nil {
			return err
		}
		logins, err := allLogins(store)
		own, err2 := openFabric(store)
		logins = append(logins, own.logins()...)
		if err = errors.Join(err, err2); err != nil && len(logins) == 0 {
			return err
		}
		if err != nil { // the other file is of use all the same
			a.warn(err)
			a.failed = true
		}
		refused := refusedTokens(store)
		if l.json {
			doc := loginsDocument("threadmap-logins", logins)
			for i, l := range logins {
				doc.Logins[i].Refused = isHome(l) && refused[l.URL]
				doc.Logins[i].Pending = own.pending(l)
			}
			return a.printJSON(doc)
		}
		if len(logins) == 0 {
			a.hint(`No logins yet: threadmap login ha, threadmap login otbr URL, threadmap login thread, or threadmap login matter CODE`)
			return nil
		}
		return a.print(func(w io.Writer) error {
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			for _, l := range logins {
				place, network := l.URL, networkWords(l)
				if place == "" {
					place, network = network, ""
				}
				note := ""
				if isHome(l) && refused[l.URL] {
					note = "\ttoken refused: log in again"
				}
				if own.pending(l) {
					note = "\tpairing was cut short: the next scan asks it"
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s%s\n", clean(l.Source), clean(place), clean(network), l.Added.Local().Format("2006-01-02"), note)
			}
			return t.Flush()
		})
	})
	return c
}

func (a *app) loginRemoveCommand() *cobra.Command {
	var l look
	var lanned lanFlags
	forgetIt := false
	c := &cobra.Command{
		Use:   "remove URL|XPANID|NAME|matter",
		Short: "forget one of them",
		Long: `Forget a login, by its URL, a part of its URL, its network's extended PAN id or
name, or the name of its home or device. What fits several logins is answered
with their list. The token of a Home Assistant goes with it; delete it there,
too, where it was made.

A Matter device is asked to forget threadmap's fabric first, and is kept if it
can't be asked; --forget forgets it then, too, and the device keeps an entry
"threadmap" that its other apps can remove. "matter" stands for all of them, and
forgets the fabric and its keys.`,
		Args: between(1, 1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var out []string
			if store, err := a.store(); err == nil {
				logins, _ := allLogins(store)
				if own, _ := openFabric(store); len(own.nodes) > 0 {
					logins = append(logins, own.logins()...)
				}
				for _, l := range logins {
					out = append(out, identity(l))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
	}
	l.jsonFlag(c)
	lanned.add(c)
	c.Flags().BoolVar(&forgetIt, "forget", false, "forget a Matter device even if it can't be asked to")
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		lan, err := lanned.lan(c)
		if err != nil {
			return err
		}
		store, err := a.store()
		if err != nil {
			return err
		}
		own, err := openFabric(store)
		if own.isFabric(args[0]) {
			return a.removeOwn(c.Context(), store, own, lan, nil, forgetIt, l.json)
		}
		logins, err2 := allLogins(store)
		logins, err = append(logins, own.logins()...), errors.Join(err, err2)
		hits := findLogins(logins, args[0])
		switch {
		case len(hits) == 0 && err != nil:
			return err
		case len(hits) == 0:
			if looksSecret(args[0]) {
				return fail("no login fits that: threadmap login list lists them")
			}
			return fail("no login fits %q: threadmap login list lists them", args[0])
		case len(hits) > 1:
			var ids []string
			for _, h := range hits {
				ids = append(ids, identity(h))
			}
			return fail("%q fits %d logins: write %s", args[0], len(hits), list(ids, "or"))
		}
		if isMatter(hits[0]) {
			return a.removeOwn(c.Context(), store, own, lan, hits, forgetIt, l.json)
		}
		gone, err := forget(c.Context(), store, hits[0])
		if err != nil {
			return err
		}
		if l.json {
			return a.printJSON(loginsDocument("threadmap-logins-removed", gone))
		}
		return a.print(func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s is forgotten.\n", clean(cmp.Or(hits[0].URL, networkWords(hits[0]))))
			return err
		})
	})
	return c
}

// allLogins lists the places and the networks that the user told of, with what
// could be read where not all could.
func allLogins(store *state.Store) ([]state.Login, error) {
	logins, err := store.Logins()
	credentials, err2 := store.Credentials()
	for _, c := range credentials {
		logins = append(logins, threadLogin(c))
	}
	return logins, cmp.Or(err, err2)
}

// identity is what tells a login from all others.
func identity(l state.Login) string { return cmp.Or(l.URL, l.ExtPANID) }

// forget removes a login, and returns what is gone.
func forget(ctx context.Context, store *state.Store, l state.Login) ([]state.Login, error) {
	if isHome(l) {
		if err := store.RemoveToken(ctx, l.URL); err != nil {
			return nil, err
		}
	}
	if l.URL != "" {
		return store.RemoveLogin(ctx, func(o state.Login) bool { return o.Source == l.Source && o.URL == l.URL })
	}
	network, err := diag.ParsePANID64(l.ExtPANID)
	if err != nil {
		return nil, err
	}
	if removed, err := store.RemoveCredential(ctx, network); err != nil || !removed {
		return nil, err
	}
	places, err := store.RemoveLogin(ctx, func(o state.Login) bool { return isAgentOf(o, l.ExtPANID) })
	return append([]state.Login{l}, places...), err
}

// findLogins lists the logins that query may mean: a whole identity over names
// over parts of URLs.
func findLogins(logins []state.Login, query string) []state.Login {
	for _, hit := range []func(state.Login) bool{
		func(l state.Login) bool { return strings.EqualFold(identity(l), strings.TrimSuffix(query, "/")) },
		func(l state.Login) bool {
			return strings.EqualFold(l.Network, query) || strings.EqualFold(l.ExtPANID, query) || strings.EqualFold(l.Name, query)
		},
		func(l state.Login) bool { return strings.Contains(strings.ToLower(l.URL), strings.ToLower(query)) },
	} {
		var out []state.Login
		for _, l := range logins {
			if query != "" && hit(l) {
				out = append(out, l)
			}
		}
		// The address of a border agent goes with its network.
		networks := slices.Clone(out)
		out = slices.DeleteFunc(out, func(l state.Login) bool {
			return slices.ContainsFunc(networks, func(n state.Login) bool { return n.URL == "" && isAgentOf(l, n.ExtPANID) })
		})
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// namedEndpoints reads the values of --otbr.
func namedEndpoints(c *cobra.Command, urls []string) ([]diag.Endpoint, error) {
	var out []diag.Endpoint
	for _, u := range urls {
		url, err := checkURL(u)
		if err != nil {
			return nil, usage(c, "--otbr: %v: want http://HOST:8081", err)
		}
		out = append(out, diag.Endpoint{Source: otbr.Name, URL: url})
	}
	return out, nil
}
