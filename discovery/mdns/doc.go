// Package mdns browses a LAN by multicast DNS: sockets, packets and clock
// around the rules of package discovery.
//
// [Browse] opens one socket for each interface and address family, asks, and
// streams [discovery.Event]s until its context ends; then it gives back all it
// knows as a [Result]. It shares port 5353 with other responders of the
// machine (avahi, systemd-resolved, Bonjour) where these let it, and goes on
// with a port of its own where they don't. [Config.Ask] sends the questions
// to one responder by unicast instead, on another network or on loopback; that
// needs no multicast.
//
// Interfaces are chosen by what they are, never by name: up, able to
// multicast, no loopback, no point-to-point link, with a hardware address
// (tunnels have none). [Config.Interfaces] chooses by name, and is the only
// way to the loopback interface.
//
// Packets come from strangers: they are taken only from addresses of the link,
// their size is bounded, and a malformed record costs only itself. This is
// the only package of the product that knows github.com/miekg/dns.
//
// The reader is between package discovery and cmd.
package mdns
