package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/secret"
	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag/matter/commission"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// matterEnv is the variable that may hold a Matter setup code.
const matterEnv = "THREADMAP_MATTER_CODE"

// pairLimit bounds a pairing: looking for the device, and up to a dozen answers of
// one that may sleep or be busy.
const pairLimit = 5 * time.Minute

// fabricLabel is how threadmap's fabric is called in other apps.
const fabricLabel = "threadmap"

const pairText = `Bring one Matter device onto threadmap's own fabric, so that every scan from now
on asks it itself: its neighbors, its routes, its counters. It stays in all homes
and apps that it is in; threadmap is one administrator more, which changes
nothing on it.

CODE is the setup code that your home app shows when you open the pairing window
of the device ("pairing mode", "share", "link to another service"): 11 digits, 21,
or the text of a QR code that begins with MT:. It is good for some minutes, and
for one pairing. That of the device's label works only while nobody has paired
it. Without CODE it is asked for at a prompt that does not show it, or taken from
--file or from $` + matterEnv + `. It is never kept.

The device is looked for on the LAN, as "threadmap discover" does. If several fit
the code, none is tried: --device says which. It must be on the network already:
threadmap sets up no Thread and no Wi-Fi.

threadmap's fabric is made at the first pairing. Its keys are in one file for your
user alone; a copy of that file is a key to these devices.`

type pairFlags struct {
	look
	lanFlags
	file, name, device string
	timeout            durationFlag
}

func (a *app) loginMatterCommand() *cobra.Command {
	c := a.pairVerb("matter [CODE]")
	c.Short = "a Matter device, with its setup code"
	c.Example = `  threadmap login matter 3497-011-2332
  threadmap login matter --file code.txt --name "Hall button"`
	return c
}

func (a *app) pairCommand() *cobra.Command {
	c := a.pairVerb("pair [CODE]")
	c.Short = `bring a Matter device onto threadmap's own fabric: "login matter"`
	c.Example = `  threadmap pair 3497-011-2332
  threadmap pair --device "[fd00::7]:5540"`
	return c
}

func (a *app) pairVerb(use string) *cobra.Command {
	f := &pairFlags{timeout: durationFlag(pairLimit)}
	c := &cobra.Command{Use: use, Long: pairText, Args: cobra.ArbitraryArgs}
	c.Flags().StringVar(&f.file, "file", "", "read the code from this `FILE`; - is standard input")
	c.Flags().StringVar(&f.name, "name", "", "call the device by this `NAME` in maps")
	c.Flags().StringVar(&f.device, "device", "", "this device: `NAME|ADDRESS:PORT`, a part of what it announces, or where it listens")
	f.lanFlags.add(c)
	f.jsonFlag(c)
	c.Flags().Var(&f.timeout, "timeout", "give up after this time")
	c.RunE = verb(func(c *cobra.Command, args []string) error { return a.pair(c, f, args) })
	return c
}

// A paired device is what a pairing gave.
type paired struct {
	login  state.Login
	result commission.Result
}

func (a *app) pair(c *cobra.Command, f *pairFlags, args []string) error {
	if err := f.check(c); err != nil {
		return err
	}
	lan, err := f.lan(c)
	if err != nil {
		return err
	}
	store, err := a.store()
	if err != nil {
		return err
	}
	payloads, err := a.takeSetupCode(c, f.file, args)
	if err != nil {
		return err
	}
	if len(payloads) > 1 && (f.name != "" || f.device != "") {
		return usage(c, "the code is for %d devices: leave out --name and --device", len(payloads))
	}
	ctx, cancel := context.WithTimeout(c.Context(), time.Duration(f.timeout))
	defer cancel()
	var done []paired
	var failed error
	for _, p := range payloads {
		d, err := a.pairOne(ctx, store, lan, f, p)
		if err != nil {
			failed = err
			break
		}
		done = append(done, d)
	}
	if f.json && (failed == nil || len(done) > 0) {
		if err := a.printJSON(pairedDocument(done)); err != nil {
			return err
		}
	}
	for _, d := range done {
		if !f.json {
			if err := a.tellPaired(d); err != nil {
				return err
			}
		}
	}
	if failed == nil {
		a.hint("Try: threadmap scan")
	}
	return failed
}

func (f *pairFlags) check(c *cobra.Command) error {
	const most = 64
	switch {
	case c.Flags().Changed("file") && (f.file == "" || looksSetupCode(f.file)):
		return usage(c, "--file: want the name of a FILE")
	case len(f.name) > most || clean(f.name) != f.name || c.Flags().Changed("name") && strings.TrimSpace(f.name) == "":
		return usage(c, "--name: want up to %d letters", most)
	case len(f.device) > maxAgentName || clean(f.device) != f.device || c.Flags().Changed("device") && strings.TrimSpace(f.device) == "":
		return usage(c, "--device: want a part of what it announces, or ADDRESS:PORT")
	}
	return nil
}

// takeSetupCode reads the code from the command line, where people put it with
// or without the spaces that it is printed with, or asks for it. No error of it
// quotes what was given.
func (a *app) takeSetupCode(c *cobra.Command, file string, args []string) ([]setup.Payload, error) {
	if len(args) > 0 && c.Flags().Changed("file") {
		return nil, usage(c, "CODE is given twice: leave out --file")
	}
	if len(args) > 0 {
		p, err := setup.Parse(strings.Join(args, " "))
		if err != nil {
			return nil, usage(c, "%v", err)
		}
		return p, nil
	}
	given, err := a.takeSecret(c.Context(), secret.Request{What: "Matter setup code", Env: matterEnv, File: file, Getenv: a.getenv, Stdin: a.in, Prompt: a.err})
	if err != nil {
		return nil, err
	}
	defer given.Wipe()
	return setup.Parse(string(given.Reveal()))
}

// looksSetupCode reports whether a text that should be something else may be a
// Matter setup code, which no error tells.
func looksSetupCode(s string) bool {
	if len(s) >= len(setup.Prefix) && strings.EqualFold(s[:len(setup.Prefix)], setup.Prefix) {
		return true
	}
	digits := 0
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case r != ' ' && r != '-':
			return false
		}
	}
	return digits >= 10 && digits <= 22
}

// pairOne pairs one device.
func (a *app) pairOne(ctx context.Context, store *state.Store, lan *lan, f *pairFlags, p setup.Payload) (paired, error) {
	show := newProgress(a.err, a.getenv("TERM"), true)
	a.notes.begin(a.err, show)
	defer func() { a.notes.end(); show.end() }()

	device := pairable{words: "device"}
	if at, err := netip.ParseAddrPort(f.device); err == nil {
		device.at, device.words = []netip.AddrPort{at}, at.String()
	} else if device, err = lan.find(ctx, p, f.device); err != nil {
		return paired{}, err
	}
	authority, err := store.MakeFabric(ctx)
	if err != nil {
		return paired{}, err
	}
	own, err := openFabric(store)
	if err != nil {
		if !errors.Is(err, state.ErrDamaged) {
			return paired{}, err
		}
		a.warn(err) // the next write keeps it aside
	}
	own.authority = authority
	ep, err := listenMatter(ctx)
	if err != nil {
		return paired{}, err
	}
	defer ep.Close()
	node := state.MatterNode{Node: authority.NewNodeID(), Name: f.name, Added: time.Now().UTC().Truncate(time.Second)}
	keep := func(ctx context.Context, r commission.Result, pending bool) error {
		node.Node, node.Vendor, node.Product, node.Pending = r.NodeID, r.VendorName, r.ProductName, pending
		node.Label = cmp.Or(r.Label, device.name)
		aside, err := store.AddNode(ctx, own.id(), node)
		if aside != "" {
			a.hint("The list of Matter devices could not be read; it is kept as %s.", aside)
		}
		return err
	}
	r, err := commission.Run(ctx, commission.Config{
		Endpoint: ep, Authority: authority, NodeID: node.Node, Passcode: p.Passcode,
		Addresses: device.at, Parameters: parametersOf(device.said.Session), Margin: device.margin(),
		FabricLabel: fabricLabel,
		Find: func(ctx context.Context, instance string) ([]netip.AddrPort, message.SessionParameters, error) {
			at, p, _, err := lan.locate(ctx, findLimit, instance)
			return at, p, err
		},
		Keep: func(ctx context.Context, r commission.Result) error { return keep(ctx, r, true) },
		Tell: func(p commission.Progress) {
			if p.Note != "" {
				a.notes.tell(device.words, p.Note)
			}
		},
	})
	after := context.WithoutCancel(ctx)
	if err != nil {
		var e *commission.Error
		if errors.As(err, &e) && e.Left != commission.LeftUnknown {
			if _, lost := store.RemoveNode(after, own.id(), node.Node); lost != nil && !errors.Is(lost, state.ErrDamaged) {
				a.warn(lost)
			}
		}
		return paired{}, err
	}
	if have := slices.IndexFunc(own.nodes, func(n state.MatterNode) bool { return n.Node == r.NodeID }); r.Already && have >= 0 {
		node.Added, node.Name = own.nodes[have].Added, cmp.Or(f.name, own.nodes[have].Name)
	}
	if err := keep(after, r, false); err != nil {
		return paired{}, fmt.Errorf("the device is paired, and that can't be noted: %w", err)
	}
	if err := store.SaveSessions(after, own.id(), map[uint64]sigma.Record{r.NodeID: r.Record}); err != nil {
		a.warn(err) // it costs the next scan a moment
	}
	return paired{own.login(node), r}, nil
}

// listenMatter opens the socket to speak with devices from.
func listenMatter(ctx context.Context) (*transport.Endpoint, error) {
	var l net.ListenConfig
	pc, err := l.ListenPacket(ctx, "udp", ":0")
	if err != nil {
		pc, err = l.ListenPacket(ctx, "udp4", ":0")
	}
	if err != nil {
		return nil, fmt.Errorf("can't open a UDP socket: %w", err)
	}
	return transport.New(pc, transport.Options{}), nil
}

// tellPaired says what a pairing gave.
func (a *app) tellPaired(d paired) error {
	line := d.login.Name + ": it is on threadmap's fabric now, and is asked in every scan from now on."
	if d.result.Already {
		line = d.login.Name + ": it was on threadmap's fabric already, and is asked in every scan."
	}
	if err := a.print(func(w io.Writer) error {
		_, err := fmt.Fprintln(w, clean(line))
		return err
	}); err != nil {
		return err
	}
	switch t := d.result.Attestation; t.Verdict {
	case commission.AttestationBroken:
		a.hint("Who made it is in doubt: %s. threadmap gives it nothing to keep, so it is on the fabric all the same; threadmap login remove %q takes it off.", t.Detail, d.login.Name)
	case commission.AttestationTest:
		a.hint("Its certificate is one for tests (vendor 0x%04X, product 0x%04X): a product under development.", t.Vendor, t.Product)
	}
	return nil
}

// An attestationDoc is an attestation as programs see it.
type attestationDoc struct {
	Verdict     string `json:"verdict"` // missing, contradictory, test, unproven
	Detail      string `json:"detail"`
	VendorID    uint16 `json:"vendor_id"`
	ProductID   uint16 `json:"product_id"`
	Authority   string `json:"authority"`
	Certificate string `json:"certificate"`
}

func pairedDocument(done []paired) *loginsDoc {
	var logins []state.Login
	for _, d := range done {
		logins = append(logins, d.login)
	}
	doc := loginsDocument("threadmap-login", logins)
	for i, d := range done {
		t := d.result.Attestation
		if d.result.Already {
			continue
		}
		word := map[commission.Verdict]string{commission.AttestationBroken: "contradictory", commission.AttestationTest: "test", commission.AttestationUnproven: "unproven"}[t.Verdict]
		doc.Logins[i].Attestation = &attestationDoc{cmp.Or(word, "missing"), t.Detail, t.Vendor, t.Product, t.Authority, t.Certificate}
	}
	return doc
}

// fabricAndNode are the ids in a login's URL.
func fabricAndNode(l state.Login) (fabric, node *string) {
	if !isMatter(l) {
		return nil, nil
	}
	f, n, ok := parseInstance(strings.TrimPrefix(l.URL, matterScheme))
	if !ok {
		return nil, nil
	}
	return hexID(f), hexID(n)
}
