// Package graphviz holds how threadmap is tested and measured beside Graphviz:
// Debian's own programs, and the Graphviz 12 of threadmap-graphviz.
//
//	./run          the tests that need Graphviz's dot; it is installed where it is missing
//	./run compare  the table of docs/benchmarks.md, in a quarter of an hour or more
//
// The tests stand beside what they test: those of --layout in cmd/threadmap, those
// of the DOT file, and the table, in render.
//
// The reader is beside the tests; nothing imports this package.
package graphviz
