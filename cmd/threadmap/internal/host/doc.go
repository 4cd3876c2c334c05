// Package host looks at the machine that threadmap runs on: its interfaces, its
// routes, the settings and programs that bear on reaching a LAN and a mesh. It
// only looks: it sends nothing, starts no program, needs no rights, and leaves a
// fact out that it can't learn.
//
// The reader is between the system (its interfaces, and on Linux well-known
// files) and package topology/doctor, whose rules say what the facts mean.
package host
