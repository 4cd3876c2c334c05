// Package discovery is DNS-based service discovery over multicast DNS (RFC
// 6762, RFC 6763) without the network: what a LAN says becomes [Service]s and
// [Event]s, what others ask becomes [Asked], and what to ask next is computed.
//
// A [Browser] takes [Message]s with the time they came and says which
// [Query]s are to be sent and when it wants to be called again. It owns no
// socket, no clock and no goroutine, so every rule of it is a table test. One
// [Cache] for each interface keeps records, not entries: an entry is made
// anew from the records, in whatever packets they came.
//
// Names are labels of raw octets ([Name]): instance names hold dots, spaces,
// emoji and anything else. TXT values stay raw octets; the typed files of this
// package (meshcop.go, operational.go, …) say what they mean.
//
// The reader is below discovery/mdns, which has the sockets and the packet
// parser, and below diag/dnssd, which makes reports of the services. This
// package imports nothing of the product.
package discovery
