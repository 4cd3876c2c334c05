// Package mesh is the model of a simulated home: the truth that every simulator
// speaks from, and the oracle that a scan of the simulated home is compared
// with.
//
// A [Home] holds [Mesh]es (Thread networks), a Mesh holds [Node]s (radios),
// [Link]s and [Fault]s, all plain data. A [View] is what the nodes would say:
// [Mesh.View] honours the faults, [Mesh.Truth] ignores them, and the distance
// between the two is what a test checks that the product copes with.
// [Mesh.Reports] turns a View into [diag.Report]s without going through any
// codec of the product, so a mistake in a codec can't cancel out.
//
// A [History] is a mesh in time: links are cut, nodes die, move, take other roles
// and addresses, partitions split and join, and its Views have the tables as stacks
// have them at a moment, each late in its own way. [View.MatterReports],
// [View.Announcements] and [Mesh.Registry] tell of a mesh in the forms of other
// sources.
//
// Homes come from generators ([HomeOf50], [Line], [Office], [Campus], [Random],
// [ScaleTo], [RandomHistory]), from the mesh that the captures of OpenThread were taken on
// ([Lab]), or from a file ([ParseYAML]). The same seed gives the same home, on
// every system: the generators compute in integers.
//
// The reader is below every other simulator. This package imports the words of
// diag and nothing else of the product, and touches no network.
package mesh
