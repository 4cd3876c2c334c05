// Package controller simulates Matter controllers: programs that have a fabric
// of their own, subscribe to devices, notice that one has fallen silent, and
// come back to it, each kind in its own way.
//
//	c, err := controller.New(controller.Options{Policy: controller.Darwin, Listen: …, Resolve: …, Tell: …})
//	c.Follow(node)
//	defer c.Close()
//
// What a controller says on the wire is made by the product's codecs: it opens
// CASE sessions and answers those that devices open, makes subscriptions and
// takes the reports of those it knows. When and how it comes back to a device
// that it has lost is written here, after what the stacks in the field do:
//
//   - CHIP: a core of connectedhomeip. It notices silence by MaxInterval and the
//     worst case of a report, and waits 30 to 100 % of Fibonacci · 10 s, up to
//     5,538 s, between attempts; any word of the device ends a wait.
//   - Darwin: Apple's framework. It waits 1, 2, 4, … up to 3,600 s, and is kicked
//     by a name that newly appears in DNS-SD, by nothing else: a name that is
//     withdrawn and announced again within a second has not gone (RFC 6762,
//     section 10.1).
//   - MatterJS: MaxInterval and three minutes of grace; then any announcement of
//     the device begins a new attempt ("discovery kick").
//
// [Faults] are what some controllers do wrong.
//
// Nothing here waits on a real clock where the socket does not: on
// simulators/simnet a controller lives in virtual time.
//
// The reader is beside simulators/matternode and above the codecs of
// diag/matter; simulators/icdhome puts controllers into a home.
package controller
