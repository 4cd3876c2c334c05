//go:build !linux

package graphviz

import "time"

// restrain does nothing: these systems limit a process from inside only, as
// threadmap-graphviz does for itself.
func restrain(int, time.Duration, uint64) {}
