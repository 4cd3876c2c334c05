// Package schema holds the JSON Schemas (2020-12) of the documents that
// threadmap promises to other programs.
//
// The reader is beside package render, which writes the documents.
package schema

import _ "embed"

// Map is the schema of "threadmap-map", the JSON document of a map. Most others
// refer to parts of it, by its $id.
//
//go:embed threadmap-map.schema.json
var Map []byte

// Services is the schema of "threadmap-services", what a LAN announces, and of
// the objects of its stream.
//
//go:embed threadmap-services.schema.json
var Services []byte

// Why is the schema of "threadmap-why", all that is known of one node.
//
//go:embed threadmap-why.schema.json
var Why []byte

// Findings is the schema of "threadmap-findings", what a doctor found.
//
//go:embed threadmap-findings.schema.json
var Findings []byte

// Diff is the schema of "threadmap-diff", what changed between two maps.
//
//go:embed threadmap-diff.schema.json
var Diff []byte

// Report is the schema of "threadmap-report", a whole home for a ticket.
//
//go:embed threadmap-report.schema.json
var Report []byte

// All are all schemas.
func All() [][]byte { return [][]byte{Map, Services, Why, Findings, Diff, Report} }
