// Package borderagent simulates Thread border agents, the doors by which a
// commissioner enters a mesh, over a mesh of package mesh: DTLS with EC-JPAKE,
// the commissioning conversation (Thread 8.4), the UDP proxy, and behind it
// every node with its network diagnostics (Thread 10.11), each as its own
// small CoAP server with a clock of its own.
//
//	a, err := borderagent.New(m.View(), border, borderagent.Options{})
//	go a.Serve(pc) // a UDP socket, or a simnet.Conn in virtual time
//
// Its behaviour is that of OpenThread, as far as was seen on a real mesh.
// Captured from OpenThread border routers of 2026-08, and held against the
// captures by the tests:
//
//   - form and order of all messages, the empty acknowledgement before a
//     separate answer, octets of the UDP proxy;
//   - a petition is refused with the holder's id, the same id takes the role
//     over, the loser is not told; a session that is not the commissioner gets
//     no answer to a keep-alive and its proxied datagrams vanish;
//   - the active dataset is given without a petition, and as a whole to whom
//     names no types; the session ends 50 s after the handshake or the last
//     keep-alive; the role stays taken when a session ends without resigning;
//   - types 29 to 31 by query only, their lists end with an empty TLV, Query ID
//     first, Answer last, messages closed at 800 octets, the next one only
//     after the acknowledgement, repetitions after 2.9 s and 8.6 s;
//   - what does not fit into a DTLS record vanishes without a word;
//   - full Thread devices that are children answer ff03::2 too, with a Route64
//     without qualities; the border agent's own node never answers a proxied
//     multicast; the source of an answer to an anycast locator is that locator,
//     that of a d/da is the node's own;
//   - nodes some hops away don't reach a new commissioner at first.
//
// By OpenThread's source (of 2026-08), not captured: session ids go up when the
// role is freed, too; an agent takes its session for the commissioner until the
// leader refuses a keep-alive; a node keeps the ten last answers; an empty
// acknowledgement of a d/da stops its repetition but brings no further message;
// minimal devices put all into one d/da; a one-time code ends with its session,
// its time or its ten clients; unknown paths and methods.
//
// Neither: that an old stack (Options.NoNewTLVs) echoes no Query ID and gives no
// Answer TLV, which follows from its not knowing those types; that TLV 38 and 40
// are all that a border router says of its border routing. TLVs 36, 39 and 41
// to 44 are left out.
//
// The model has no counters, so those of TLVs 9 and 34 are numbers made of a
// node's address.
//
// The reader is above simulators/mesh and the codecs of diag/tmf, and below
// simulators/world.
package borderagent
