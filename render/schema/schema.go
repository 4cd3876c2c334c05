// Package schema holds the JSON Schemas (2020-12) of the documents that
// threadmap promises to other programs.
//
// The reader is beside package render, which writes the documents.
package schema

import _ "embed"

// Map is the schema of "threadmap-map", the JSON document of a map.
//
//go:embed threadmap-map.schema.json
var Map []byte

// Services is the schema of "threadmap-services", what a LAN announces, and of
// the objects of its stream.
//
//go:embed threadmap-services.schema.json
var Services []byte
