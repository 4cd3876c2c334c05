package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
)

const rootText = `threadmap maps the Thread meshes of a home: who is whose parent, which links
are weak, and what is known from whom. Begin with

  threadmap demo                     a simulated home, scanned and drawn
  threadmap scan                     listen, ask, draw, save
  threadmap login ha                 Home Assistant, for names, rooms and more
  threadmap login otbr URL           tell it of your border router, to know more
  threadmap login thread             give it a credential of your Thread network
  threadmap login matter CODE        pair a Matter device, to ask it yourself
  threadmap render -o mesh.svg       the picture of the last scan
  threadmap doctor                   what is wrong, and what you can do
  threadmap why NODE                 all that is known of one device, and how
  threadmap icd NODE                 why a sleepy device does not come back`

// manual is what "threadmap help" says after the list of commands.
const manual = `NODE is a part of a name, a whole name, an extended address or its first 4
  digits or more, an RLOC16 (0x5c00), a Matter node id, an IPv6 address, a host
  or DNS-SD instance name, or the id that another output gave. What fits several
  nodes is answered with their list, never guessed.

Exit status:
    0  done
    1  failed
    2  the command line is wrong
    3  partial: a source that was to be asked did not answer, a file could not be
       read, or a node of --expect is missing; what is known is drawn
    4  doctor --fail-on: something as bad as that was found
  130  after Ctrl-C; what is known is drawn and saved

Files:
  %s
       the logins
  %s
       the credentials of Thread networks, and the tokens of Home Assistants
  %s
       the keys of threadmap's own Matter fabric
  %s
       what "icd NODE" has, or may have, left on devices: "icd cleanup" takes it out
  %s
       yours to write: what you call your devices, as lines "ID: Name" in YAML
  %s
       the last %d scans
  %s
       the key of the pseudonyms of your redacted reports
  $%s names one folder for all. All of it is for your user alone.

Results go to standard output, everything else to standard error. --json makes
each result one document that names its "format". Colors are for terminals, and
not where $NO_COLOR is set; --color decides otherwise.

Secrets are taken from a prompt, a file, or a variable THREADMAP_..., never from
a flag or a URL. Only a Matter setup code, which is good for one pairing, may be an
argument.
`

// setHelp makes help name files and statuses, and an unknown topic a fault.
func (a *app) setHelp(root *cobra.Command) {
	usual := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		usual(c, args)
		if c == root {
			io.WriteString(a.out, "\n"+a.manual())
		}
	})
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "say how a command is used",
		RunE: func(c *cobra.Command, args []string) error {
			topic, rest, err := root.Find(args)
			if err != nil || topic == nil || len(rest) > 0 {
				return usage(root, "no help for %q", strings.Join(args, " "))
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var out []string
			if topic, _, err := root.Find(args); err == nil {
				for _, c := range topic.Commands() {
					if c.IsAvailableCommand() {
						out = append(out, c.Name())
					}
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
	})
}

func (a *app) manual() string {
	none := "(no folder found)"
	logins, credentials, fabric, canaries, names, scans, pseudonyms := none, none, none, none, none, none, none
	if s, err := a.store(); err == nil {
		logins, credentials, fabric, canaries, names, scans, pseudonyms = s.LoginsFile(), s.CredentialsFile(), s.FabricFile(), canaryStates{s}.folder(), s.NamesFile(), s.ScansFolder(), s.PseudonymsFile()
	}
	return fmt.Sprintf(manual, logins, credentials, fabric, canaries, names, scans, state.KeptScans, pseudonyms, state.Env)
}
