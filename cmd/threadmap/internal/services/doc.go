// Package services arranges what a LAN announces the way people look at it: by
// Thread network, border routers first, and writes it as text, as the JSON
// document "threadmap-services", and as lines of a stream.
//
// It asks nobody and concludes little: a border router is in the network that it
// names, a device in the one network whose off-mesh-routable prefix its address
// has. What strangers wrote is cleaned before it is shown; the document has the
// octets as well.
//
// The reader is between discovery and the verbs "discover" and "scan".
package services
