// Package dnssd turns what a LAN announces into reports: an announcement is
// what a node says of itself, with nobody asking.
//
// [Reports] joins the announcements that are one node's beyond doubt: the
// instances of several fabrics on one host and port, a border router's
// `_meshcop._udp`, `_trel._udp` and `_meshcop-e._udp`, one border router that
// several responders announce. It never joins by host name alone, for all
// programs on one machine share that. Whatever needs more evidence is left to
// package topology.
//
// The reader is beside the other sources; it is pure, the asking is done by
// discovery/mdns.
package dnssd
