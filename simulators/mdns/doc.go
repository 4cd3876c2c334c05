// Package mdns is a multicast DNS responder for tests and demonstrations: it
// answers for many services, well or badly, by multicast or, on a socket
// without a group, by unicast only.
//
// It writes and reads packets with github.com/miekg/dns directly and shares no
// code with the product's parser, so a mistake there can't cancel out.
// [FromHome] makes the services of a simulated home: border routers, the Matter
// nodes that they registered, and HomeKit accessories.
//
// The reader is beside simulators/mesh; the product reaches it only through
// simulators/world.
package mdns
