// Package heard turns what a LAN says into observations for package icd: a
// multicast DNS message or a router advertisement in, lines of the
// observations file out. It owns no socket, no clock and no goroutine, so that
// live listening and a packet capture give the same lines.
//
// A [Scope] says which device is watched and remembers what was heard of it:
// its instances and fabrics are learnt from the announcements of the host that
// has its extended address for a name. [MDNS] and [RA] convert one message:
//
//	s := heard.NewScope("0E01010101010101")
//	for each message m heard at o:
//		for _, seen := range heard.MDNS(m, o, s) {
//			observe(o.At, seen)
//		}
//
// Messages come from strangers. Names and values are bounded by the wire
// format, their number by the Scope, and octets that are no text are escaped
// or written in hexadecimal.
//
// The reader is below diag/icd/listen, which has the sockets, and below
// diag/icd/capture.
package heard
