package host

import (
	"io/fs"
	"strings"

	"threadmap/diag"
	"threadmap/topology/doctor"
)

// wsl tells whether the kernel is that of Windows Subsystem for Linux.
func wsl(root fs.FS) diag.Opt[bool] {
	for _, name := range []string{"proc/sys/kernel/osrelease", "proc/version"} {
		if b, ok := read(root, name); ok {
			return diag.Some(strings.Contains(strings.ToLower(string(b)), "microsoft"))
		}
	}
	return diag.Opt[bool]{}
}

// container names what the program runs in, "" for no container.
func container(root fs.FS) string {
	switch {
	case exists(root, "var/run/secrets/kubernetes.io/serviceaccount"), exists(root, "run/secrets/kubernetes.io/serviceaccount"):
		return "kubernetes"
	case exists(root, "run/.containerenv"):
		return "podman"
	case exists(root, ".dockerenv"):
		return "docker"
	}
	words := ""
	for _, name := range []string{"run/systemd/container", "proc/1/cgroup"} {
		b, _ := read(root, name)
		words += strings.ToLower(string(b)) + "\n"
	}
	for _, k := range []struct{ word, kind string }{
		{"kubepods", "kubernetes"}, {"podman", "podman"}, {"libpod", "podman"}, {"docker", "docker"}, {"lxc", "lxc"}, {"nspawn", "container"},
	} {
		if strings.Contains(words, k.word) {
			return k.kind
		}
	}
	return ""
}

// managers are the programs that may handle router advertisements instead of the
// kernel.
func managers(root fs.FS) []string {
	out := []string{}
	if len(entries(root, "run/NetworkManager/devices")) > 0 {
		out = append(out, "NetworkManager")
	}
	for _, link := range entries(root, "run/systemd/netif/links") {
		b, ok := read(root, "run/systemd/netif/links/"+link)
		if state, _ := setting(b, "ADMIN_STATE"); ok && (state == "configured" || state == "configuring") {
			out = append(out, "systemd-networkd")
			break
		}
	}
	if exists(root, "run/dhcpcd.pid") || exists(root, "run/dhcpcd/pid") || exists(root, "run/dhcpcd") {
		out = append(out, "dhcpcd")
	}
	return out
}

// avahi reads the settings of a running Avahi; unknown where none runs.
func avahi(root fs.FS) diag.Opt[doctor.HostAvahi] {
	if !exists(root, "run/avahi-daemon/pid") && !exists(root, "run/avahi-daemon/socket") {
		return diag.Opt[doctor.HostAvahi]{}
	}
	b, ok := read(root, "etc/avahi/avahi-daemon.conf")
	if !ok {
		return diag.Opt[doctor.HostAvahi]{}
	}
	v, _ := setting(b, "disallow-other-stacks")
	return diag.Some(doctor.HostAvahi{DisallowOtherStacks: v == "yes"})
}
