package main

import (
	"slices"

	"github.com/spf13/cobra"

	"threadmap/diag"
	"threadmap/diag/dnssd"
	"threadmap/diag/homeassistant"
	"threadmap/diag/matter"
	"threadmap/diag/matterserver"
	"threadmap/diag/otbr"
	"threadmap/diag/tmf"
)

// sources lists the ways of asking. A new one is a line here. What the LAN
// announces (mDNS) comes before them all and tells them whom there is to ask;
// see lan.go. keys may be filled until the probes are planned.
func sources(keys keyring) []diag.Source {
	return []diag.Source{
		otbr.Source{},
		tmf.Source{Credentials: keys.find},
		homeassistant.Source{},
		matterserver.Source{},
		matter.Source{},
	}
}

// with changes the source of one kind among others.
func with[S diag.Source](srcs []diag.Source, change func(*S)) []diag.Source {
	out := slices.Clone(srcs)
	for i, s := range out {
		if t, ok := s.(S); ok {
			change(&t)
			out[i] = t
		}
	}
	return out
}

// asks reports whether the source of that name is among those that are asked.
func asks(srcs []diag.Source, name string) bool {
	return slices.ContainsFunc(srcs, func(s diag.Source) bool { return s.Name() == name })
}

// sourceNames lists the values of --source.
func sourceNames() []string {
	out := []string{dnssd.Name}
	for _, s := range sources(nil) {
		out = append(out, s.Name())
	}
	return out
}

// sourceFlag adds --source.
func sourceFlag(c *cobra.Command, names *namesFlag) {
	names.kind = "NAME"
	c.Flags().Var(names, "source", "ask only this source ("+list(sourceNames(), "or")+"); may be repeated")
	c.RegisterFlagCompletionFunc("source", cobra.FixedCompletions(sourceNames(), cobra.ShellCompDirectiveNoFileComp))
}

// pickSources applies --source: whether to listen to the LAN, and what to ask.
// Border agents and Matter devices are found by listening, so asking them includes
// that, unless the address of an agent was given.
func pickSources(c *cobra.Command, names []string, keys keyring, addressed bool) (listen bool, asked []diag.Source, err error) {
	for _, n := range names {
		if !slices.Contains(sourceNames(), n) {
			return false, nil, usage(c, "--source %s: there is only %s", n, list(sourceNames(), "and"))
		}
	}
	all := sources(keys)
	if len(names) == 0 {
		return true, all, nil
	}
	listen = slices.Contains(names, dnssd.Name) || slices.Contains(names, tmf.Name) && !addressed || slices.Contains(names, matter.Name)
	return listen, slices.DeleteFunc(all, func(s diag.Source) bool { return !slices.Contains(names, s.Name()) }), nil
}
