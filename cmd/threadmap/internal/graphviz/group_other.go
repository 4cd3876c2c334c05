//go:build !unix

package graphviz

import "os/exec"

// apart does nothing: the process alone is killed, and Graphviz starts no others.
func apart(*exec.Cmd) {}
