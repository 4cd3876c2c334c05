// Package meshcop is the commissioner's side of a border agent (Thread 8.4), as
// threadmap needs it: to ask the nodes of a mesh, through the border agent's UDP
// proxy, and to change nothing.
//
// [Choose] ranks the border agents that a LAN announces. A [Session] is the
// conversation over one DTLS session: it reads the active dataset, without the
// network key and the PSKc, looks whether somebody is adding a device, petitions
// for the commissioner's role under an id that nobody else has, keeps it alive,
// carries questions to mesh nodes and their answers back, and gives the role up.
// It never displaces another commissioner.
//
// All of it is pure: datagrams and the time go in, datagrams and the time of the
// next call come out, so tests run it in virtual time.
//
// The reader is below diag/tmf, which has the sockets and decides what to ask,
// and above diag/tmf/coap and diag/tmf/netdiag.
package meshcop
