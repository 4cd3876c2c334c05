//go:build unix

package graphviz

import (
	"os/exec"
	"syscall"
)

// apart puts the process into a group of its own, which is killed whole.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = attributes()
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
