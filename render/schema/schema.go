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

// ICD is the schema of "threadmap-icd", a verdict about a sleepy device.
//
//go:embed threadmap-icd.schema.json
var ICD []byte

// ICDList is the schema of "threadmap-icd-list", the sleepy devices of a scan.
//
//go:embed threadmap-icd-list.schema.json
var ICDList []byte

// ICDCleanup is the schema of "threadmap-icd-cleanup", what became of what was
// left on devices.
//
//go:embed threadmap-icd-cleanup.schema.json
var ICDCleanup []byte

// Observations is the schema of a line of "threadmap-observations".
//
//go:embed threadmap-observations.schema.json
var Observations []byte

// All are all schemas.
func All() [][]byte {
	return [][]byte{Map, Services, Why, Findings, Diff, Report, ICD, ICDList, ICDCleanup, Observations}
}
