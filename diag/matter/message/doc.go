// Package message is the message layer of Matter (Core 4.4 to 4.14): headers,
// the seal of a message, counters and replay windows, the waits of reliable
// messaging, and the few payloads that every session needs ([StatusReport],
// [SessionParameters]).
//
// A datagram is a message header in the clear, then a protocol header and the
// payload of an application, which are encrypted but for messages of session 0:
//
//	offset  size      message header (little-endian)
//	     0  1         flags: version 7-4 (0), S 2, DSIZ 1-0
//	     1  2         session id, chosen by the receiver
//	     3  1         security flags: P 7, C 6, MX 5, session type 1-0
//	     4  4         message counter
//	     8  0 or 8    source node id, with S
//	     .  0, 8, 2   destination node or group id, by DSIZ
//	     .  2+n       message extensions, with MX
//	                  protocol header
//	     0  1         flags: I 0, A 1, R 2, SX 3, V 4
//	     1  1         opcode
//	     2  2         exchange id
//	     4  0 or 2    vendor id, with V
//	     .  2         protocol id
//	     .  0 or 4    acknowledged counter, with A
//	     .  2+n       secured extensions, with SX
//
// Everything here is bytes in, bytes out. The reader is at the bottom of
// diag/matter: pase and sigma make the [Keys], diag/matter/message/mrp keeps
// sessions and exchanges in order, and diag/matter/transport has the socket.
package message
