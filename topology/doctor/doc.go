// Package doctor says what is wrong with a mesh, how sure that is, and what a
// person can do about it. It is pure: it looks at a [threadmap/topology.Map],
// at the scan behind it and at facts about the machine that somebody else
// gathered ([Host]).
//
// A rule is one file and one line in [Rules]. A rule is silent where it cannot
// know: a table that nobody gave is no empty table, and a machine that was not
// looked at is no healthy one. One trouble is told of by one rule: where several
// see it, the one that says most speaks, and the others know of it. What several
// rules look up is in index.go and in the files named for no rule.
//
// A rule is tested by what is planted for it in a sound home (faults_test.go), by
// homes that nearly have its trouble and homes of which too little is told
// (threeparts_test.go), and, with all others, by simulated homes of which the truth
// is known (truth_test.go).
//
// The reader is between package topology (the mesh) and package render and the
// verb "threadmap doctor" (words on a screen).
package doctor
