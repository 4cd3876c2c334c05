// Package icdhome simulates a home around a sleepy Matter device that restarts:
// a LAN with border routers, which take registrations, announce them, and ask
// for names on a device's behalf; controllers with their fabrics; a Thread mesh
// with parents and partitions; and the device itself. [Scenarios] are such
// homes, each with one thing wrong.
//
//	h, err := icdhome.New(icdhome.Options{Seed: 1})
//	h.Observe = recorder.Observe // what the wire does not carry
//	h.Start()
//	defer h.Close()
//
// What is on the wire is real: multicast DNS by its own packets, Matter by the
// codecs of the product, all over simulators/simnet. Observers of the product
// listen there as on a LAN, by sockets from Home.Socket and Home.Listen. What
// simnet has no packets for is told by the model, as observations of the form
// in which the product's observers make them: what the parent's child table
// says, router advertisements, pings, what a controller sees inside, and what
// a person does.
//
// The routes between mesh and LAN are the business of one function, Home.fate:
// a packet arrives if the device is up and attached, its half of the mesh has a
// border router that is up, its address is of a prefix in use, and both hosts
// are awake.
//
// All waits are on the clock of package time, so a home lives in virtual time
// in a testing/synctest bubble, and in real time in the demo.
//
// The reader is on top of the simulators, beside simulators/world.
package icdhome
