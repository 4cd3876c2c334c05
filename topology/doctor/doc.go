// Package doctor says what is wrong with a mesh, how sure that is, and what a
// person can do about it. It is pure: it looks at a [threadmap/topology.Map],
// at the scan behind it and at facts about the machine that somebody else
// gathered ([Host]).
//
// A rule is one file and one line in [Rules]. A rule is silent where it cannot
// know: a table that nobody gave is no empty table, and a machine that was not
// looked at is no healthy one.
//
// The reader is between package topology (the mesh) and package render and the
// verb "threadmap doctor" (words on a screen).
package doctor
