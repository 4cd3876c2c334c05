package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/secret"
	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/pskc"
)

// threadEnv is the variable that may hold a Thread credential.
const threadEnv = "THREADMAP_THREAD"

func (a *app) loginThreadCommand() *cobra.Command {
	var network, name, file string
	scan := newScanFlags() // for a one-time code, which is used at once
	l, at := &scan.look, &scan.agent
	c := &cobra.Command{
		Use:   "thread",
		Short: "a Thread network, with a credential of it",
		Long: `Remember a credential of a Thread network, so that scans may ask the whole mesh
through any of its border routers that lets a commissioner in, of whatever maker.
It is asked for at a prompt that does not show it, or taken from --file or from
$` + threadEnv + `, and is one of these:

  the operational dataset, as hexadecimal TLVs: nothing else is needed
  the PSKc, 32 hexadecimal digits: with --network
  the commissioning passphrase: with --network, and the network's name
  the one-time code that a border router shows, 9 digits

Only the PSKc is kept, for your user alone; the network key in a dataset is
dropped unread. It is not tried before the next scan.

--agent HOST:PORT keeps the address of a border agent of the network, too, for
where mDNS does not reach: "threadmap discover", or the border router itself,
tells the port, which may be another after each restart.

A one-time code can't be kept: it is good for one session, within minutes. So it
is used at once for a scan, as "threadmap scan --code" does: --interface and
--ask say where to find its border router, --agent which one it is.`,
		Example: `  threadmap login thread
  threadmap login thread --file dataset.txt
  ot-ctl dataset active -x | threadmap login thread --file -
  threadmap login thread --network dead00beef00cafe --name MyHome
  threadmap login thread --file dataset.txt --agent "[fd00::1]:49154"`,
		Args: noSecret,
	}
	c.Flags().StringVar(&network, "network", "", "`XPANID|NAME` of the network: its extended PAN id, or its name if the last scan knows it")
	c.Flags().StringVar(&name, "name", "", "`NAME` of the network, where the last scan does not know it")
	c.Flags().StringVar(&file, "file", "", "read the credential from this `FILE`; - is standard input")
	c.Flags().StringVar(at, "agent", "", "a border agent of the network: `HOST:PORT`; for a one-time code also a part of its name")
	scan.lanFlags.add(c)
	l.jsonFlag(c)
	c.RunE = verb(func(c *cobra.Command, _ []string) error {
		if len(name) > pskc.MaxName || clean(name) != name {
			return usage(c, "--name: want up to %d octets of text", pskc.MaxName)
		}
		if c.Flags().Changed("file") && file == "" {
			return usage(c, "--file: the name of a FILE is empty")
		}
		address := ""
		if c.Flags().Changed("agent") {
			var slash string
			var err error
			if address, slash, err = parseAgent(*at); err == nil && slash != "" {
				err = errors.New("the network is named by --network")
			}
			if err != nil {
				return usage(c, "--agent: %v", err)
			}
		}
		store, err := a.store()
		if err != nil {
			return err
		}
		cred := state.Credential{Network: name, Added: time.Now().UTC().Truncate(time.Second)}
		if c.Flags().Changed("network") {
			if cred.ExtPANID, cred.Network, err = whichNetwork(store, network, name); err != nil {
				return usage(c, "--network: %v", err)
			}
		}
		given, err := a.takeSecret(c.Context(), secret.Request{
			What: "Thread dataset, PSKc, passphrase or one-time code", Env: threadEnv, File: file, Getenv: a.getenv, Stdin: a.in, Prompt: a.err,
		})
		if err != nil {
			return err
		}
		defer given.Wipe()
		if isCode(string(given.Reveal())) {
			if c.Flags().Changed("network") || c.Flags().Changed("name") {
				return usage(c, "9 digits are a one-time code, which needs no --network and no --name: --agent NAME says whose it is")
			}
			if scan.taken, err = pskc.ParseCode(string(given.Reveal())); err != nil {
				return err
			}
			a.hint("A one-time code is used now, once, and not kept.")
			return a.scan(c, scan)
		}
		switch {
		case c.Flags().Changed("agent") && address == "":
			return usage(c, "--agent: want HOST:PORT, as a name is looked for in every scan")
		case scan.named():
			return usage(c, "--interface and --ask are for a one-time code: other credentials are not tried before the next scan")
		}
		if err := readThreadCredential(&cred, string(given.Reveal())); err != nil {
			return err
		}
		if err := a.addCredential(c.Context(), store, cred); err != nil {
			return err
		}
		added := []state.Login{threadLogin(cred)}
		if address != "" {
			place, err := a.addAgent(c.Context(), store, cred, address)
			if err != nil {
				return fmt.Errorf("the credential is kept, the address is not: %w", err)
			}
			added = append(added, place)
		}
		if l.json {
			return a.printJSON(loginsDocument("threadmap-login", added))
		}
		if err := a.print(func(w io.Writer) error {
			_, err := fmt.Fprintln(w, clean(networkWords(added[0])+": its border agents are asked in every scan from now on."))
			return err
		}); err != nil {
			return err
		}
		a.hint("Try: threadmap scan")
		return nil
	})
	return c
}

// addAgent keeps the address of a border agent. It takes the place of another one
// of the same network: one is asked.
func (a *app) addAgent(ctx context.Context, store *state.Store, cred state.Credential, address string) (state.Login, error) {
	e, err := tmf.Endpoint(address, cred.ExtPANID, false)
	if err != nil {
		return state.Login{}, err
	}
	l := threadLogin(cred)
	l.URL = e.URL
	if err := a.addLogin(ctx, store, l); err != nil {
		return l, err
	}
	_, err = store.RemoveLogin(ctx, func(o state.Login) bool { return isAgentOf(o, l.ExtPANID) && o.URL != l.URL })
	return l, err
}

// isAgentOf reports whether a login is the address of a border agent of a network.
func isAgentOf(l state.Login, extPANID string) bool {
	return l.Source == tmf.Name && l.URL != "" && l.ExtPANID == extPANID
}

// takeSecret is secret.Get, which it leaves behind where ctx ends while a file
// or a pipe does not.
func (a *app) takeSecret(ctx context.Context, r secret.Request) (secret.Secret, error) {
	if r.File == "" {
		return secret.Get(ctx, r) // a prompt must put the terminal back
	}
	type result struct {
		s   secret.Secret
		err error
	}
	got := make(chan result, 1)
	go func() {
		s, err := secret.Get(ctx, r)
		got <- result{s, err}
	}()
	select {
	case g := <-got:
		return g.s, g.err
	case <-ctx.Done():
		return secret.Secret{}, ctx.Err()
	}
}

// whichNetwork reads --network: an extended PAN id, or a name that the last
// scan knows. It gives the name as well, where that is known.
func whichNetwork(store *state.Store, query, name string) (diag.PANID64, string, error) {
	names := map[diag.PANID64]string{}
	scan, _, err := store.LastScan()
	if err == nil {
		for _, r := range scan.Reports {
			if n := r.Network; n.ExtPANID != 0 && n.Name != "" && len(n.Name) <= pskc.MaxName {
				names[n.ExtPANID] = n.Name
			}
		}
	}
	if id, err := diag.ParsePANID64(query); err == nil && id != 0 {
		if name == "" {
			name = names[id]
		}
		return id, name, nil
	}
	var fit []diag.PANID64
	for id, n := range names {
		if query != "" && n == query {
			fit = append(fit, id)
		}
	}
	slices.Sort(fit)
	switch {
	case len(fit) == 1:
		if name == "" {
			name = query
		}
		return fit[0], name, nil
	case len(fit) > 1:
		var words []string
		for _, id := range fit {
			words = append(words, id.String())
		}
		return 0, "", fmt.Errorf("%q is the name of several networks: write one of %s", clean(query), list(words, "or"))
	}
	if looksSecret(query) {
		return 0, "", errors.New("that is no extended PAN id (16 hexadecimal digits), and the last scan knows no network of that name")
	}
	return 0, "", fmt.Errorf("%q is no extended PAN id (16 hexadecimal digits), and the last scan knows no network of that name", clean(query))
}

// How many hexadecimal digits make a text a PSKc, give or take a few that were
// lost or typed twice, and how many make it a dataset: fewer than that are a
// passphrase of such letters.
const fewestOfPSKc, mostOfPSKc = 28, 36

// readThreadCredential reads what a person may hand over into c, in which the
// network is what the command line said. Its errors never quote it.
func readThreadCredential(c *state.Credential, s string) error {
	digits, isHex := hexDigits(s)
	switch {
	case isHex && digits > mostOfPSKc:
		d, err := pskc.ParseDataset(s)
		if err != nil {
			return err
		}
		switch {
		case d.PSKc.IsZero():
			return errors.New("dataset: it has no PSKc: take the active dataset, whole, from a border router of this network")
		case c.ExtPANID != 0 && d.ExtPANID != 0 && c.ExtPANID != d.ExtPANID:
			return fmt.Errorf("dataset: it is that of network %s, and --network names %s: leave out --network", d.ExtPANID, c.ExtPANID)
		}
		c.PSKc = d.PSKc
		if d.ExtPANID != 0 {
			c.ExtPANID = d.ExtPANID
		}
		if d.Name != "" {
			c.Network = d.Name
		}
		if c.ExtPANID == 0 {
			return errors.New("dataset: it does not say of which network: add --network XPANID")
		}
		return nil
	case isHex && digits >= fewestOfPSKc:
		key, err := pskc.Parse(s)
		if err != nil {
			return err
		}
		if c.ExtPANID == 0 {
			return errors.New("PSKc: it does not say of which network: add --network XPANID, which threadmap discover shows")
		}
		c.PSKc = key
		return nil
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("that is neither a dataset in hexadecimal, nor a PSKc, nor a passphrase, which is one line of text")
	case c.ExtPANID == 0 || c.Network == "":
		return errors.New("a passphrase does not say of which network: add --network XPANID and --name NAME, which threadmap discover shows (what is no passphrase was copied incompletely)")
	}
	key, err := pskc.Derive([]byte(s), c.ExtPANID, c.Network)
	if err != nil {
		return err
	}
	c.PSKc = key
	return nil
}

// hexDigits counts hexadecimal digits; ok is false where there is anything else
// but what may stand between them, before or after them.
func hexDigits(s string) (n int, ok bool) {
	s = strings.TrimSuffix(strings.TrimSpace(s), "Done")
	if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		s = s[2:]
	}
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
			n++
		case strings.IndexByte(" :-\t\r\n", c) < 0:
			return 0, false
		}
	}
	return n, true
}

// looksSecret reports whether a text that should be something else may be a
// credential, which no error tells.
func looksSecret(s string) bool {
	digits, isHex := hexDigits(s)
	return isHex && digits >= fewestOfPSKc || isCode(s) || looksSetupCode(s)
}

// isCode reports whether s has the form of a one-time code, right or wrong.
func isCode(s string) bool {
	n := 0
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			n++
		case r != ' ' && r != '-':
			return false
		}
	}
	return n == pskc.CodeLen
}

// threadLogin is a credential as "login list" shows it: without the secret.
func threadLogin(c state.Credential) state.Login {
	return state.Login{Source: tmf.Name, Network: c.Network, ExtPANID: c.ExtPANID.String(), Added: c.Added}
}
