// Package tmf asks a Thread mesh through a border agent: one credential of the
// network, no pairing, and every node of any maker answers (Thread 8.4, 10.11).
//
// One probe makes one DTLS session with one border agent of a network, becomes
// its commissioner for the time of the scan, and surveys the mesh: one multicast
// to all full Thread devices for who they are and what they reach, then at most
// three small questions to each router, for its children, their addresses and
// its router neighbors. What gets lost is asked again, a bounded number of times.
// Whatever is answered is told at once. The role is given up at every end that
// lets code run; after a kill the leader frees it within 50 s.
//
// A commissioner that is there already is never displaced, and nothing is asked
// while somebody is adding a device. The network key is never asked for.
//
// The reader is beside the other sources (diag/otbr, diag/matter). Who asks
// whom in which order is survey.go; the conversation is package meshcop, the
// octets are packages netdiag, coap and dtls, and the sockets are in drive.go.
package tmf
