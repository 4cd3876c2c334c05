package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/secret"
	"threadmap/diag"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/pskc"
	"threadmap/discovery"
)

// codeEnv is the variable that may hold a one-time code.
const codeEnv = "THREADMAP_THREAD_CODE"

// doorFlags say by which border agent a mesh is entered, and with what.
type doorFlags struct {
	agent    string
	code     bool
	codeFile string
	taken    pskc.Secret // a one-time code that was taken in already
}

func (f *doorFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.agent, "agent", "", "enter by this border agent: `NAME|HOST:PORT[/NETWORK]`, a part of what it announces, or its address")
	c.Flags().BoolVar(&f.code, "code", false, "enter once with the one-time code that a border router shows: asked for, or in $"+codeEnv)
	c.Flags().StringVar(&f.codeFile, "code-file", "", "read the one-time code from this `FILE`; - is standard input")
}

// A door is how a command enters meshes: beside what it is logged in to, by a
// border agent that was named, or with a one-time code.
type door struct {
	name    string      // of the border agent, or of its network; "": any
	address string      // HOST:PORT in place of a name
	code    pskc.Secret // zero: none
}

// open reads the flags, and asks for the code. An address without a code is one
// more endpoint.
func (f *doorFlags) open(c *cobra.Command, a *app, keys keyring) (d door, endpoints []diag.Endpoint, err error) {
	if c.Flags().Changed("code-file") && f.codeFile == "" {
		return d, nil, usage(c, "--code-file: the name of a FILE is empty")
	}
	if c.Flags().Changed("agent") {
		network := ""
		if d.address, network, err = parseAgent(f.agent); err != nil {
			return d, nil, usage(c, "--agent: %v", err)
		}
		if d.address == "" {
			d.name = f.agent
		}
		switch {
		case d.address == "":
		case f.withCode() && network != "":
			return d, nil, usage(c, "--agent: a one-time code needs no NETWORK after the slash: the border router says it")
		case !f.withCode():
			e, err := keys.endpoint(d.address, network)
			if err != nil {
				return d, nil, usage(c, "--agent: %v", err)
			}
			return d, []diag.Endpoint{e}, nil
		}
	}
	d.code = f.taken
	if f.withCode() && f.taken.IsZero() {
		d.code, err = a.takeCode(c.Context(), f.codeFile)
	}
	return d, nil, err
}

func (f *doorFlags) withCode() bool { return f.code || f.codeFile != "" || !f.taken.IsZero() }

// given reports whether any of the flags is.
func (f *doorFlags) given() bool { return f.agent != "" || f.withCode() }

// addressed reports whether a border agent is named by its address, so that it
// needs not be found.
func (f *doorFlags) addressed() bool {
	address, _, err := parseAgent(f.agent)
	return err == nil && address != ""
}

// takeCode takes in a one-time code and looks at its check digit, so that one
// that was typed wrong costs no try.
func (a *app) takeCode(ctx context.Context, file string) (pskc.Secret, error) {
	given, err := a.takeSecret(ctx, secret.Request{What: "one-time code", Env: codeEnv, File: file, Getenv: a.getenv, Stdin: a.in, Prompt: a.err})
	if err != nil {
		return pskc.Secret{}, err
	}
	defer given.Wipe()
	return pskc.ParseCode(string(given.Reveal()))
}

// maxAgentName bounds what may be typed.
const maxAgentName = 512

// parseAgent tells an address, HOST:PORT with or without "/" and a network, from
// a name, for which address is "".
func parseAgent(s string) (address, network string, err error) {
	if len(s) > maxAgentName || clean(s) != s || strings.TrimSpace(s) == "" {
		return "", "", errors.New("want the name of a border agent, or HOST:PORT")
	}
	plain, isURL := strings.CutPrefix(s, "thread://")
	if strings.Contains(plain, "://") {
		return "", "", errors.New("want HOST:PORT of a border agent, not a URL")
	}
	hostport, network, _ := strings.Cut(plain, "/")
	_, port, err := net.SplitHostPort(hostport)
	_, notNumber := strconv.ParseUint(port, 10, 32)
	if !isURL && !strings.HasPrefix(s, "[") && (err != nil || notNumber != nil) {
		return "", "", nil
	}
	if _, err := tmf.Endpoint(hostport, 0, false); err != nil {
		return "", "", fmt.Errorf("%w: want HOST:PORT, an IPv6 address in brackets", err)
	}
	return hostport, network, nil
}

// plan plans what a scan asks. What of the door's own can't be asked is a probe
// that says why: the rest of the scan stands.
func (d door) plan(srcs []diag.Source, endpoints []diag.Endpoint) func([]discovery.Service) []diag.Probe {
	if d.code.IsZero() && d.name == "" {
		return planned(srcs, endpoints)
	}
	return func(services []discovery.Service) []diag.Probe {
		known := diag.Known{Endpoints: endpoints, Services: services}
		chosen, err := d.choose(services)
		ways, refused := srcs, []diag.Probe(nil)
		switch {
		case err != nil:
			refused = append(refused, err.probe())
		case d.code.IsZero():
			known.Services = slices.DeleteFunc(slices.Clone(services), func(s discovery.Service) bool {
				return s.Kind == discovery.KindMeshCoP && !isAgent(s, chosen) && slices.ContainsFunc(meshcop.Choose([]discovery.Service{s}), func(a meshcop.Agent) bool { return a.Network == chosen.Network })
			})
		default:
			ways = withThread(srcs, func(t *tmf.Source) { t.OneTime = &tmf.OneTime{Code: d.code, Agent: chosen, Address: d.address} })
		}
		return append(diag.Plan(ways, known), refused...)
	}
}

// withThread changes the source of border agents among others.
func withThread(srcs []diag.Source, change func(*tmf.Source)) []diag.Source {
	return with(srcs, change)
}

// isAgent reports whether a is what s announces.
func isAgent(s discovery.Service, a meshcop.Agent) bool {
	return s.Instance == a.Instance && slices.ContainsFunc(s.Endpoints(), func(at netip.AddrPort) bool { return slices.Contains(a.Endpoints, at) })
}

// An undecided says why no border agent is entered.
type undecided struct{ target, text, hint string }

func (u *undecided) Error() string { return u.text + ": " + u.hint }

func (u *undecided) probe() diag.Probe {
	return diag.Probe{Source: tmf.Name, Target: u.target, Within: time.Second, Run: func(_ context.Context, to *diag.Sink) {
		to.Problem(diag.Problem{Source: tmf.Name, Target: u.target, Stage: diag.StageResolve, Text: u.text, Hint: u.hint, Partial: true})
	}}
}

// choose finds the border agent that is meant among those that are announced.
// It never guesses, and asks nobody: a code is not used up by it.
func (d door) choose(services []discovery.Service) (meshcop.Agent, *undecided) {
	if d.address != "" {
		return meshcop.Agent{}, nil
	}
	oneTime := !d.code.IsZero()
	agents := slices.DeleteFunc(meshcop.Choose(services), func(a meshcop.Agent) bool { return a.OneTime != oneTime })
	if d.name != "" {
		agents = findAgents(agents, d.name)
	}
	u := &undecided{target: "border agent", text: fmt.Sprintf("none is announced that %q fits", d.name), hint: "threadmap discover lists them; --agent HOST:PORT names one that is not announced here"}
	switch {
	case len(agents) == 1:
		return agents[0], nil
	case len(agents) > 1:
		u.text, u.hint = fmt.Sprintf("%q fits %d of them: %s", d.name, len(agents), labels(agents)), "write more of the name with --agent"
		if oneTime {
			u.text = fmt.Sprintf("%d of them wait for one: %s", len(agents), labels(agents))
		}
	case oneTime && d.name == "":
		u.text = "no border router is announced that waits for one"
		u.hint = "is it still shown? It lasts some minutes, and one session; --agent HOST:PORT names a border router that is not announced here"
	}
	if oneTime {
		u.target = "one-time code"
		if len(agents) > 1 {
			u.hint = "name the border router that shows the code with --agent NAME"
		}
		u.hint = "the code is not used up: " + u.hint
	}
	return meshcop.Agent{}, u
}

// findAgents lists the border agents that a name may mean: that of an agent or a
// network, whole, over a part of what is announced of an agent.
func findAgents(agents []meshcop.Agent, name string) []meshcop.Agent {
	name = strings.ToLower(name)
	for _, fits := range []func(string) bool{
		func(s string) bool { return s == name },
		func(s string) bool { return strings.Contains(s, name) },
	} {
		var out []meshcop.Agent
		for _, a := range agents {
			words := []string{clean(a.Instance), clean(a.NetworkName), clean(a.Vendor + " " + a.Model)}
			if a.Network != 0 {
				words = append(words, a.Network.String())
			}
			if slices.ContainsFunc(words, func(w string) bool { return fits(strings.ToLower(w)) }) {
				out = append(out, a)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// labels lists border agents for people, by what tells them apart.
func labels(agents []meshcop.Agent) string {
	const most = 6
	var out []string
	for i, a := range agents {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(agents)-most))
			break
		}
		label := clean(a.Instance)
		if name := clean(cmp.Or(a.NetworkName, strings.TrimSpace(a.Vendor+" "+a.Model))); name != "" {
			label += " (" + name + ")"
		}
		out = append(out, label)
	}
	return list(out, "and")
}

// withoutNetworks leaves out the border agents of the networks of others: the one
// that was named now goes before the one that was logged in to.
func withoutNetworks(endpoints, others []diag.Endpoint) []diag.Endpoint {
	return slices.DeleteFunc(slices.Clone(endpoints), func(e diag.Endpoint) bool {
		return slices.ContainsFunc(others, func(o diag.Endpoint) bool { return tmf.NetworkOf(e) != 0 && tmf.NetworkOf(e) == tmf.NetworkOf(o) })
	})
}
