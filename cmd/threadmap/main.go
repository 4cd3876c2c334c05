// Command threadmap maps the Thread meshes of a home: it asks whoever will
// answer, says what it knows and how, and draws it. "threadmap help" is the
// manual.
//
// This package is flags, files and exit statuses, one file per verb; what a
// verb does is in the packages below it. The reader is at the top of the
// program: nothing imports it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first Ctrl-C ends the work in order, a second one ends the program
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
