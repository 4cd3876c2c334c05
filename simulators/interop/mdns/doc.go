// Package mdns tests discovery against foreign multicast DNS stacks: avahi and
// another Go implementation, in network namespaces that the tests make and
// remove. It holds only tests.
//
// They need Linux, root, ip (iproute2), avahi-daemon, avahi-browse and
// dbus-daemon; where something is missing they are skipped with the reason,
// unless THREADMAP_INTEROP is set, as in CI: then they fail. The script run
// installs what is missing and runs them.
package mdns
