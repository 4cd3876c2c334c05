package main

import (
	"encoding/hex"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
)

func (a *app) simulateCommand() *cobra.Command {
	var l look
	var example bool
	c := &cobra.Command{
		Use:   "simulate [HOME.yaml]",
		Short: "a simulated home left running, for developers",
		Long: `Simulate a home on this machine's loopback, until Ctrl-C: its border routers'
REST and border agents, its Home Assistant with a Matter server where it has Matter
devices, and what all of it announces by mDNS, which is asked directly (--ask); for
trying threadmap, and for trying other tools against.
Without a file it is the home of "threadmap demo"; --write-example prints that
home as a file to start from.

It prints the keys of the simulated networks, for "threadmap login thread": they
stand in the home's file and open nothing else, so they are no secret.`,
		Example: "  threadmap simulate --write-example > home.yaml\n  threadmap simulate home.yaml",
		Args:    atMost(1),
	}
	l.jsonFlag(c)
	c.Flags().BoolVar(&example, "write-example", false, "print the home as YAML, and simulate nothing")
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		home := mesh.HomeOf50(demoSeed)
		if len(args) == 1 {
			b, _, _, err := a.readFile(c.Context(), args[0], maxHome)
			if err != nil {
				return err
			}
			if home, err = mesh.ParseYAML(b); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
		}
		if example {
			b, err := mesh.MarshalYAML(home)
			if err != nil {
				return err
			}
			return a.print(func(w io.Writer) error {
				_, err := w.Write(b)
				return err
			})
		}
		w, err := world.Start(home, withHomeAssistant(home))
		if err != nil {
			return fmt.Errorf("cannot simulate %s: %w", home.Name, err)
		}
		defer w.Close()
		if err := a.announce(home, w, l); err != nil {
			return err
		}
		a.hint("Ctrl-C ends it.")
		<-c.Context().Done()
		return nil
	})
	return c
}

// announce says where the simulated border routers are, and how to log in.
func (a *app) announce(home *mesh.Home, w *world.World, l look) error {
	if l.json {
		return a.printJSON(simulationDocument(home, w))
	}
	mdns := w.MDNS()
	return a.print(func(out io.Writer) error {
		fmt.Fprintf(out, "Simulating %s: %d devices in %d networks.\n", clean(home.Name), home.Nodes(), len(home.Networks))
		fmt.Fprintf(out, "  %s  mDNS, asked directly: what all of it announces\n", mdns)
		try := ""
		for _, r := range w.BorderRouters() {
			fmt.Fprintf(out, "  %s  REST of generation %d: %s, in %s\n", r.URL, r.Generation, clean(r.Name), clean(r.Network))
			try += " --otbr " + r.URL
		}
		if ha, ok := w.HomeAssistant(); ok {
			fmt.Fprintf(out, "  %s  Home Assistant: THREADMAP_HA_TOKEN=%s threadmap login ha %s\n", ha.URL, ha.Token, ha.URL)
		}
		keys := map[string]pskc.Secret{} // by extended PAN id
		for _, b := range w.BorderAgents() {
			fmt.Fprintf(out, "  %s  border agent (UDP): %s, in %s\n", b.Addr, clean(b.Name), clean(b.Network))
			keys[b.ExtPANID.String()] = b.PSKc
		}
		if len(keys) > 0 {
			fmt.Fprintln(out, "Keys of the simulated networks, which are no secret; \"threadmap login remove ID\" forgets one again:")
		}
		for _, m := range home.Networks {
			if key, ok := keys[m.ExtPANID.String()]; ok {
				fmt.Fprintf(out, "  THREADMAP_THREAD=%s threadmap login thread --network %s\n", hex.EncodeToString(key.Bytes()), m.ExtPANID)
			}
		}
		_, err := fmt.Fprintf(out, "Try: threadmap scan%s --ask %s\n", try, mdns)
		return err
	})
}

// A simulation is the document of "threadmap simulate --json".
type simulation struct {
	Format       string            `json:"format"`
	Version      int               `json:"version"`
	Name         string            `json:"name"`
	MDNS         string            `json:"mdns"`
	OTBRs        []simulatedREST   `json:"otbrs"`
	Home         *simulatedHome    `json:"home_assistant,omitempty"`
	BorderAgents []simulatedDoor   `json:"border_agents"`
	Networks     []simulatedThread `json:"networks"`
}

// A simulatedHome is a Home Assistant; its token is no secret.
type simulatedHome struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// A simulatedREST is a border router's REST interface.
type simulatedREST struct {
	URL        string `json:"url"`
	Name       string `json:"name"`
	Network    string `json:"network"`
	Generation int    `json:"generation"`
}

// A simulatedDoor is a border agent; its address is one of UDP.
type simulatedDoor struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Network  string `json:"network"`
	ExtPANID string `json:"ext_pan_id"`
}

// A simulatedThread is a network; its key is no secret.
type simulatedThread struct {
	Name     string `json:"name"`
	ExtPANID string `json:"ext_pan_id"`
	PSKc     string `json:"pskc"`
}

func simulationDocument(home *mesh.Home, w *world.World) simulation {
	d := simulation{Format: "threadmap-simulation", Version: 1, Name: home.Name, MDNS: w.MDNS().String(), OTBRs: []simulatedREST{}, BorderAgents: []simulatedDoor{}, Networks: []simulatedThread{}}
	for _, r := range w.BorderRouters() {
		d.OTBRs = append(d.OTBRs, simulatedREST{r.URL, r.Name, r.Network, r.Generation})
	}
	if ha, ok := w.HomeAssistant(); ok {
		d.Home = &simulatedHome{ha.URL, ha.Token}
	}
	for _, b := range w.BorderAgents() {
		d.BorderAgents = append(d.BorderAgents, simulatedDoor{b.Addr.String(), b.Name, b.Network, b.ExtPANID.String()})
	}
	for _, m := range home.Networks {
		d.Networks = append(d.Networks, simulatedThread{m.Name, m.ExtPANID.String(), hex.EncodeToString(m.PSKc[:])})
	}
	return d
}

// withHomeAssistant has a home with Matter devices run a Home Assistant, too.
func withHomeAssistant(home *mesh.Home) (o world.Options) {
	for _, m := range home.Networks {
		for _, n := range m.Nodes {
			if len(n.Matter) > 0 {
				o.HomeAssistant = &world.HomeOptions{}
			}
		}
	}
	return o
}

// maxHome bounds a home's file, in bytes.
const maxHome = 16 << 20
