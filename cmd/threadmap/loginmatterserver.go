package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag/matterserver"
)

const loginMatterServerText = `Remember a Matter server whose port is open: the one that runs in a container
beside Home Assistant, or the Matter Server app with port 5580 entered under "Show
disabled ports" of its settings. Whoever is on your LAN can then use that port,
without any password; "threadmap login ha" reaches the app without opening it.

URL is ws://HOST:5580/ws, of which HOST is enough. The server is asked who it is
first, and remembered only if it answers.`

func (a *app) loginMatterServerCommand() *cobra.Command {
	var l look
	limit := durationFlag(loginLimit)
	c := &cobra.Command{
		Use:     "matter-server URL",
		Short:   "Home Assistant's Matter server, by a port of its own",
		Long:    loginMatterServerText,
		Example: "  threadmap login matter-server homeassistant.local\n  threadmap login matter-server ws://192.0.2.7:5580/ws",
		Args:    between(1, 1),
	}
	l.jsonFlag(c)
	c.Flags().Var(&limit, "timeout", "give up after this time")
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		at, err := matterserver.NormalizeURL(args[0])
		if err != nil {
			return usage(c, "%v: want ws://HOST:5580/ws", err)
		}
		if hasUser(args[0]) {
			return usage(c, "the URL of the Matter server has a user name in it, which would be kept readably: use the address of the server itself")
		}
		store, err := a.store()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), time.Duration(limit))
		defer cancel()
		info, err := matterserver.Check(ctx, nil, at)
		if err != nil {
			return err
		}
		login := state.Login{Source: matterserver.Name, URL: info.URL, Added: time.Now().UTC().Truncate(time.Second)}
		if info.Fabric != 0 {
			login.Name = fmt.Sprintf("fabric %016x", info.Fabric)
		}
		if len(info.Networks) == 1 {
			login.ExtPANID, login.Network = info.Networks[0].String(), clean(info.Names[info.Networks[0]])
		}
		what := fmt.Sprintf("Matter server with %s, %d of them reachable now", counted(info.Nodes, "node"), info.Reachable)
		if err := a.keepPlace(c.Context(), store, login, what, l); err != nil || l.json {
			return err
		}
		a.hint("Try: threadmap scan")
		return nil
	})
	return c
}

// hasUser reports whether a URL, with or without its scheme, has user info.
func hasUser(s string) bool {
	if !strings.Contains(s, "://") {
		s = "ws://" + s
	}
	u, err := url.Parse(strings.TrimSpace(s))
	return err == nil && u.User != nil
}
