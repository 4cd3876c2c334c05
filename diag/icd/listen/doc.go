// Package listen observes a sleepy device from the LAN, without any
// credential: what is announced and asked by multicast DNS ([MDNS]), which
// prefixes routers advertise ([RA]), whether the device answers a ping
// ([Ping]), and what stands in the way on this machine ([Host]).
//
// Each of the four runs until its context ends and reports by an
// [icd.Observe]. They share one [heard.Scope] in their [Config]: MDNS learns
// the device's addresses and mode, and the others go by them. One that the
// system does not allow returns an error of one line; the others go on.
//
// They do no harm: MDNS browses once, at the start, and then only listens; Ping
// sends at most one echo request in five minutes, six after the device
// announced itself anew, and none to a device that sleeps for long.
//
// The reader is beside diag/icd/canary: both are what `threadmap icd` starts.
package listen
