//go:build unix && !linux

package graphviz

import "syscall"

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
