package doctor

import (
	"fmt"

	"threadmap/topology"
)

// containerNetwork finds containers that have a network of their own: neither
// multicast nor announced routes reach it.
var containerNetwork = Rule{
	Name:  "container-network",
	About: "threadmap runs in a container that has no way to the LAN",
	Find: func(c *Case) []Finding {
		kind := ""
		if c.Host != nil {
			kind = c.Host.Container.Or("")
		}
		if kind == "" || !c.inBox() {
			return nil
		}
		look, mend := command("ip addr"), "give the container the host's network"
		switch kind {
		case "docker":
			look = command("docker inspect -f '{{.HostConfig.NetworkMode}}' CONTAINER")
			mend = "start it with " + command("docker run --network host") + " (network_mode: host in a compose file); with Docker Desktop run threadmap outside of Docker"
		case "podman":
			look, mend = command("podman inspect -f '{{.HostConfig.NetworkMode}}' CONTAINER"), "start it with "+command("podman run --network host")
		case "kubernetes":
			look, mend = command("kubectl get pod POD -o jsonpath={.spec.hostNetwork}"), "write hostNetwork: true into the pod's spec"
		}
		return []Finding{c.boxFinding(Finding{
			Title:    "threadmap runs in a container that is not on the LAN",
			NextStep: fmt.Sprintf("To look: %s. To mend: %s. Or ask a responder on the LAN directly: %s.", look, mend, command("threadmap scan --ask HOST")),
		})}
	},
}

// wslNetwork finds Windows Subsystem for Linux with its default network, which
// translates addresses and passes no multicast.
var wslNetwork = Rule{
	Name:  "wsl-network",
	About: "threadmap runs in WSL, whose network is not the LAN",
	Find: func(c *Case) []Finding {
		if c.Host == nil || !c.Host.WSL.Or(false) || c.Host.Container.Or("") != "" || !c.inBox() {
			return nil
		}
		return []Finding{c.boxFinding(Finding{
			Title:    "threadmap runs in WSL, which is not on the LAN",
			NextStep: fmt.Sprintf("To look: %s. To mend: write networkingMode=mirrored under [wsl2] into .wslconfig in your Windows folder, then %s. Or run threadmap on Windows itself.", command("wslinfo --networking-mode"), command("wsl --shutdown")),
		})}
	},
}

// inBox reports whether the box does harm: the LAN is silent, or no way leads to
// the mesh.
func (c *Case) inBox() bool {
	if c.silence() == causeBoxed {
		return true
	}
	if !c.boxed() {
		return false
	}
	for _, m := range c.ownMeshes() {
		for _, p := range c.published(m) {
			if w := c.Host.wayTo(p); w.kind == wayNone || w.kind == wayDefault && !c.knows(m, p, w) {
				return true
			}
		}
	}
	return false
}

func (c *Case) boxFinding(f Finding) Finding {
	f.Severity, f.Confidence = Error, Medium
	f.Detail = "Neither the devices' announcements nor the routes of border routers reach it."
	f.Evidence = []topology.Evidence{c.seen("system")}
	if c.boxed() {
		f.Confidence = High
		if n := c.Host.lans(); len(n) > 0 {
			f.Detail = fmt.Sprintf("The address of %s is %s, of a network within the machine. %s", n[0].Name, addressOfInterface(n[0]), f.Detail)
		}
		f.Evidence = append(f.Evidence, c.seen("addresses"))
	}
	return f
}
