package mdns

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// A Reason tells problems of a browse apart.
type Reason string

// The reasons.
const (
	NoInterface  Reason = "no-interface"  // none can be used
	Denied       Reason = "denied"        // the system keeps programs from the local network
	PortTaken    Reason = "port-taken"    // port 5353 belongs to somebody who does not share
	NoRoute      Reason = "no-route"      // multicast goes elsewhere: a VPN, or no address on the interface
	NoMulticast  Reason = "no-multicast"  // the system has no multicast to the LAN: container, WSL
	Unreachable  Reason = "unreachable"   // a responder that was to be asked can't be reached
	Silence      Reason = "silence"       // nobody said anything
	NoRights     Reason = "no-rights"     // to hear router advertisements
	SocketFailed Reason = "socket-failed" // anything else
)

// A Problem is why a browse sees less than it could. It is an error of one
// line; Hint says what to do.
type Problem struct {
	Reason    Reason
	Interface string // or the responder that was asked; "" for all
	Err       error  // the system's; may be nil
	// Fatal: the interface was not browsed at all.
	Fatal bool
	env   environment
}

// Error is one line.
func (p Problem) Error() string {
	where := ""
	if p.Interface != "" {
		where = p.Interface + ": "
	}
	cause := ""
	if p.Err != nil {
		cause = " (" + strings.Join(strings.Fields(rootCause(p.Err).Error()), " ") + ")"
	}
	switch p.Reason {
	case NoInterface:
		return where + "no network interface can be browsed" + cause
	case Denied:
		return where + "the system does not let this program use the local network" + cause
	case PortTaken:
		return where + "another program has UDP port 5353 for itself, so announcements are not heard, only answers" + cause
	case NoRoute:
		return where + "multicast has no way out of this interface" + cause
	case NoMulticast:
		return where + "this system has no multicast to the LAN" + cause
	case Unreachable:
		return where + "can't be reached" + cause
	case Silence:
		if p.Interface != "" {
			return where + "did not answer"
		}
		return "nothing was heard of any device"
	case NoRights:
		return where + "router advertisements can't be heard without rights to open a raw socket" + cause
	}
	return where + "can't browse" + cause
}

// Unwrap is the system's error.
func (p Problem) Unwrap() error { return p.Err }

// Hint says in one line what to do.
func (p Problem) Hint() string {
	switch p.Reason {
	case NoInterface:
		if p.Err != nil { // the one that was named is none
			return "name one of those with --interface, or leave it out"
		}
		if p.env.container {
			return "run the container with the host's network (docker run --network host), or ask a responder directly with --ask HOST"
		}
		return "connect to the LAN, or name an interface with --interface"
	case Denied:
		if p.env.os != "darwin" {
			return "a firewall of this machine forbids it: let UDP port 5353 pass"
		}
		return "allow it under System Settings, Privacy & Security, Local Network, for the terminal that runs it, and try again"
	case PortTaken:
		return "nothing is missed in a scan; to follow announcements, stop that program (the system's tools show who has UDP port 5353)"
	case NoRoute:
		return "a VPN may have taken the route: pause it or let it pass local traffic, or name the LAN's interface with --interface"
	case NoMulticast:
		return p.env.multicastHint()
	case Unreachable:
		return "check the address; the responder must be willing to answer questions of another network on UDP port 5353"
	case Silence:
		if p.Interface != "" { // a question straight to a host needs no multicast
			return "check the address, and that this host is on; it must answer mDNS questions of another network on that UDP port"
		}
		if h := p.env.multicastHint(); h != "" {
			return h
		}
		return "check that this machine is in the devices' network (no guest Wi-Fi, no other VLAN) and that its firewall lets UDP port 5353 in"
	case NoRights:
		return p.env.rightsHint()
	}
	return "try again with another --interface"
}

// An environment is what the machine is, as far as it bears on multicast.
type environment struct {
	os        string
	wsl       bool
	container bool
}

// readEnvironment looks at well-known files.
func readEnvironment() environment {
	e := environment{os: runtime.GOOS}
	if e.os != "linux" {
		return e
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		e.wsl = strings.Contains(strings.ToLower(string(b[:min(len(b), 256)])), "microsoft")
	}
	for _, f := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(f); err == nil {
			e.container = true
		}
	}
	return e
}

func (e environment) multicastHint() string {
	switch {
	case e.wsl:
		return "WSL has no multicast to the LAN with its default network: set networkingMode=mirrored in .wslconfig, or run threadmap on Windows itself"
	case e.container:
		return "run the container with the host's network (docker run --network host), or ask a responder directly with --ask HOST"
	}
	return ""
}

func (e environment) rightsHint() string {
	switch e.os {
	case "linux":
		return "run as root or give the program the capability CAP_NET_RAW; everything else works without"
	case "windows":
		return "run as administrator; everything else works without"
	}
	return "run as root; everything else works without"
}

// classify finds the reason of a socket's error.
func classify(env environment, directed bool, err error) Reason {
	err = posix(env, err)
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case is(syscall.EADDRINUSE):
		return PortTaken
	// macOS answers so to programs that the user did not allow.
	case env.os == "darwin" && is(syscall.EHOSTUNREACH):
		return Denied
	case is(syscall.EACCES, syscall.EPERM):
		if env.os == "linux" && directed {
			return Unreachable // a firewall of this machine
		}
		return Denied
	case directed && is(syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ECONNREFUSED, syscall.EADDRNOTAVAIL, syscall.ENETDOWN):
		return Unreachable
	case is(syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.ENETDOWN):
		if env.wsl || env.container {
			return NoMulticast
		}
		return NoRoute
	}
	return SocketFailed
}

// posix gives Windows' numbers of socket errors (winsock2.h) their usual names.
func posix(env environment, err error) error {
	var no syscall.Errno
	if env.os != "windows" || !errors.As(err, &no) {
		return err
	}
	switch no {
	case 10013:
		return syscall.EACCES
	case 10048:
		return syscall.EADDRINUSE
	case 10049:
		return syscall.EADDRNOTAVAIL
	case 10050:
		return syscall.ENETDOWN
	case 10051:
		return syscall.ENETUNREACH
	case 10061, 10054:
		return syscall.ECONNREFUSED
	case 10065:
		return syscall.EHOSTUNREACH
	}
	return err
}

// rootCause is the innermost error: "network is unreachable" without the
// addresses around it.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func (p Problem) String() string { return fmt.Sprintf("%s: %s", p.Error(), p.Hint()) }
