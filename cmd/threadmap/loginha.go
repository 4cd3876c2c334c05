package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/secret"
	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag/homeassistant"
)

// tokenEnv is the variable that may hold a token of Home Assistant.
const tokenEnv = "THREADMAP_HA_TOKEN"

// loginHALimit bounds the questions to Home Assistant: a large home on a small
// computer takes seconds for its registry.
const loginHALimit = 45 * time.Second

const loginHAText = `Remember a Home Assistant, so that scans ask it: for names and rooms, for what its
Matter server knows of all Matter nodes and can read of them anew, and for the
credentials of its Thread networks, which then show the whole mesh.

It wants a long-lived access token: in Home Assistant, your profile (your name at
the bottom left), Security, Long-lived access tokens, Create token. A token may do
what its user may. Names, rooms and Matter need no administrator; Thread
credentials and what Home Assistant hears of border routers do. Nothing is ever
changed in Home Assistant.

The token is asked for at a prompt that does not show it, or taken from
--token-file or from $` + tokenEnv + `. It is tried at once, and kept for your user
alone. A token that Home Assistant refuses is never sent again, since it bans who
does: log in anew with another one.

URL is http://HOST:8123, where http:// and :8123 may be left out. Without URL it is
looked for by mDNS, as --interface and --ask say: the one that is found is offered
by name, of several you choose.

--fingerprint trusts the certificate with that SHA-256 and no other, for an https
URL whose certificate this computer does not know.`

func (a *app) loginHACommand() *cobra.Command {
	var l look
	var at lanFlags
	var file, fingerprint string
	limit := durationFlag(loginHALimit)
	c := &cobra.Command{
		Use:     "ha [URL]",
		Aliases: []string{"home-assistant"},
		Short:   "Home Assistant, with an access token",
		Long:    loginHAText,
		Example: "  threadmap login ha\n  threadmap login ha homeassistant.local\n  threadmap login ha --token-file token.txt https://ha.example:8123",
		Args:    noToken,
	}
	c.Flags().StringVar(&file, "token-file", "", "read the token from this `FILE`; - is standard input")
	c.Flags().StringVar(&fingerprint, "fingerprint", "", "`SHA256` of the certificate to trust")
	at.add(c)
	l.jsonFlag(c)
	c.Flags().Var(&limit, "timeout", "give up after this time")
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		var trust homeassistant.Fingerprint
		var err error
		if c.Flags().Changed("fingerprint") {
			if trust, err = homeassistant.ParseFingerprint(fingerprint); err != nil {
				return usage(c, "--%v", err)
			}
		}
		if c.Flags().Changed("token-file") && file == "" {
			return usage(c, "--token-file: the name of a FILE is empty")
		}
		store, err := a.store()
		if err != nil {
			return err
		}
		var urls []string
		what := "Home Assistant token"
		if len(args) == 1 {
			url, err := homeassistant.NormalizeURL(args[0])
			switch {
			case err != nil:
				return usage(c, "%v: want http://HOST:8123", err)
			case at.named():
				return usage(c, "--interface and --ask look for a Home Assistant, and URL names one")
			}
			urls = []string{url}
		} else {
			found, err := a.findHome(c, &at)
			if err != nil {
				return err
			}
			if file != "" || a.getenv(tokenEnv) != "" {
				// What announces itself is not yet what the user means.
				return fail("found %s: nobody but you can say that the token is for it: threadmap login ha %s", homeLabel(found), found.URLs[0])
			}
			urls, what = found.URLs, "token of the Home Assistant "+homeLabel(found)
		}
		if !trust.IsZero() {
			if urls = slices.DeleteFunc(urls, func(u string) bool { return !strings.HasPrefix(u, "https:") }); len(urls) == 0 {
				return usage(c, "--fingerprint is for an https URL")
			}
		}
		given, err := a.takeSecret(c.Context(), secret.Request{What: what, Env: tokenEnv, File: file, Getenv: a.getenv, Stdin: a.in, Prompt: a.err})
		if err != nil {
			return err
		}
		token, err := homeassistant.ParseToken(string(given.Reveal()))
		given.Wipe()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), time.Duration(limit))
		defer cancel()
		info, err := checkHome(ctx, urls, homeassistant.Login{Token: token, Trust: trust})
		if err != nil {
			return err
		}
		return a.keepHome(c.Context(), store, info, state.Token{URL: info.URL, Token: token, Trust: trust}, l)
	})
	return c
}

// findHome finds the Home Assistant that announces itself, where it is the only
// one.
func (a *app) findHome(c *cobra.Command, at *lanFlags) (homeassistant.Announced, error) {
	l, err := at.lan(c)
	if err != nil {
		return homeassistant.Announced{}, err
	}
	heard, services := a.collect(c.Context(), job{lan: l, plan: planned(nil, nil), limit: browseLimit + time.Second})
	if c.Context().Err() != nil {
		return homeassistant.Announced{}, fail("stopped")
	}
	found := slices.DeleteFunc(homeassistant.FindAnnounced(services), func(h homeassistant.Announced) bool { return len(h.URLs) == 0 })
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		for _, p := range heard.Problems {
			a.warnOf(p)
		}
		return homeassistant.Announced{}, fail("no Home Assistant is announced: name it: threadmap login ha http://HOST:8123")
	}
	const most = 6
	var words []string
	for i, h := range found {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(found)-most))
			break
		}
		words = append(words, homeLabel(h))
	}
	return homeassistant.Announced{}, fail("%d Home Assistants are announced: %s: say which with threadmap login ha URL", len(found), list(words, "and"))
}

// homeLabel names an announced Home Assistant for people.
func homeLabel(h homeassistant.Announced) string {
	return clean(fmt.Sprintf("%q at %s", h.Name, h.URLs[0]))
}

// checkHome tries the URLs of one Home Assistant until one lets the token in or
// refuses it. After https it is not tried without.
func checkHome(ctx context.Context, urls []string, login homeassistant.Login) (info homeassistant.Info, err error) {
	s := homeassistant.Source{Logins: func(string) (homeassistant.Login, bool) { return login, true }}
	secure := false
	var first error
	for _, url := range urls {
		if secure && !strings.HasPrefix(url, "https:") {
			continue
		}
		secure = secure || strings.HasPrefix(url, "https:")
		if info, err = s.Check(ctx, url); err == nil || login.Token.Refused() || info.Version != "" {
			return info, err
		}
		first = cmp.Or(first, err)
	}
	return info, first
}

// keepHome remembers a Home Assistant that let us in, and says what it gives.
func (a *app) keepHome(ctx context.Context, store *state.Store, info homeassistant.Info, token state.Token, l look) error {
	token.Added = time.Now().UTC().Truncate(time.Second)
	login := state.Login{Source: homeassistant.Name, URL: info.URL, Name: clean(info.Name), Added: token.Added}
	aside, err := store.AddToken(ctx, token)
	a.hintCredentialsAside(aside, err)
	if err == nil {
		err = a.addLogin(ctx, store, login)
	}
	if err != nil {
		return err
	}
	if l.json {
		doc := loginsDocument("threadmap-login", []state.Login{login})
		doc.Logins[0].Gives, doc.Logins[0].Withheld = info.Gives, info.Withheld
		if admin, known := info.Admin.Get(); known {
			doc.Logins[0].Admin = &admin
		}
		return a.printJSON(doc)
	}
	if err := a.print(func(w io.Writer) error {
		what := "Home Assistant"
		if info.Version != "" {
			what += " " + info.Version
		}
		if login.Name != "" {
			what += fmt.Sprintf(", %q", login.Name)
		}
		_, err := fmt.Fprintln(w, clean(fmt.Sprintf("%s: %s. It is asked in every scan from now on.", info.URL, what)))
		for _, part := range []struct {
			title string
			lines []string
		}{{"It gives:", info.Gives}, {"It does not give:", info.Withheld}} {
			if len(part.lines) > 0 {
				fmt.Fprintln(w, part.title)
			}
			for _, line := range part.lines {
				_, e := fmt.Fprintln(w, "  "+clean(line))
				err = errors.Join(err, e)
			}
		}
		return err
	}); err != nil {
		return err
	}
	if admin, known := info.Admin.Get(); known && !admin {
		a.hint("A token of an administrator would give the Thread credentials, too.")
	}
	if info.Plain {
		a.hint("The URL is plain http: whoever can listen on the way between here and there can read the token.")
	}
	a.hint("Try: threadmap scan")
	return nil
}

// noToken allows one argument that is no token, and quotes none that may be one:
// every user of the machine could read it.
func noToken(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if looksToken(arg) {
			return usage(c, "an argument looks like a token; credentials are never one, since every user of this machine can read it: it is asked for")
		}
	}
	return atMost(1)(c, args)
}

// looksToken reports whether a text may be an access token: no part of a host name
// has so many letters.
func looksToken(s string) bool {
	run := 0
	for _, r := range s {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			if run++; run > 40 {
				return true
			}
			continue
		}
		run = 0
	}
	return strings.HasPrefix(s, "eyJ")
}

// isHome reports whether l is a Home Assistant, whose token is kept elsewhere.
func isHome(l state.Login) bool { return l.Source == homeassistant.Name }

// refusedTokens are the URLs of Home Assistants that refused their token.
func refusedTokens(store *state.Store) map[string]bool {
	out := map[string]bool{}
	tokens, _ := store.Tokens() // what is wrong with the file was said
	for _, t := range tokens {
		out[t.URL] = t.Refused
	}
	return out
}
