// Package capture reads a packet capture of the home's network and tells what
// in it is about a sleepy Matter device: observations as package icd takes them.
//
// A capture sees what no other observer does: the handshake between the device
// and a controller that is not ours. Its messages are in clear (Core 4.14),
// so who opened a session, whether it went on with an old one, who refused or
// fell silent is read off the wire. What is said in a session is sealed; of
// that only who spoke first, and whether the other answered, is told.
//
// Files may be pcap or pcapng, of Ethernet, Linux "any" captures, raw IP or
// loopback. They are read once, front to back, in bounded memory, and come from
// strangers: no length, count or time in them is believed.
//
// The reader is beside the other observers of package icd and above the codecs:
// discovery for names, diag/matter/message for headers. It opens no socket and
// no file.
package capture
