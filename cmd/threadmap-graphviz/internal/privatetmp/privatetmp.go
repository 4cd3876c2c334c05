// Package privatetmp gives this process a folder for temporary files that
// nobody else can write to, before any other package could ask for one.
//
// It is here for one reason: go-graphviz compiles Graphviz when the program
// starts, and keeps the native code in, and runs it from, a folder of a fixed
// name below os.TempDir. In a folder that all users share, another one could
// put code there first. By the rules of Go's specification ("Program
// initialization") packages are initialized in the order of their import paths
// as soon as all that they import is. This one imports the package syscall
// alone, which package time needs, too, and sorts before "time": so it comes
// before time, os, and all that needs those. A test holds that order.
//
// The reader is below threadmap-graphviz, and nothing else imports it.
package privatetmp
