// Package matter tests the product's Matter against matter.js, a foreign stack
// that Home Assistant's Matter server is built on: real nodes to scan, a real
// controller that reads our simulated ones, and both side by side in benchmarks.
// It holds only tests.
//
// The nodes and the controller are small programs in js. They run in a network
// namespace of their own, joined by a cable to the one that the tests run in;
// nothing leaves the machine.
//
// The tests need Linux, root, ip (iproute2), Node (see js/package.json) and the
// packages of js/package-lock.json; where something is missing they are skipped
// with the reason, unless THREADMAP_INTEROP is set, as in CI: then they fail.
// The script run installs the packages and runs the tests.
package matter
