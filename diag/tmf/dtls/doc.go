// Package dtls speaks DTLS 1.2 with EC-JPAKE, the way into a Thread border
// agent, as a net.Conn on which each Read and Write is one datagram:
//
//	raw, err := net.Dial("udp", "[fd11:db8::1]:49154")
//	c, err := dtls.Client(ctx, raw, pskc, dtls.Config{})
//
// [Listen] is the border agent's side, for simulators, on any net.PacketConn.
//
// The protocol is in package association, which has no sockets and no clock;
// here are only the sockets, the timers and the locks.
//
// The reader is between diag/tmf/pskc, whence the key comes, and the CoAP of
// diag/tmf, which runs over the Conn.
package dtls
