// Package wsdoc reads the JSON messages of Home Assistant's Matter server, the
// Python one and the one on matter.js: its greeting, its answers and refusals,
// the nodes it keeps, attributes it has just read, and the border routers it
// heard.
//
// Written from the captured answers of a matter.js server of schema 13 and from
// the sources of both. All 64-bit numbers (node ids, extended addresses, fabric
// ids) are bare JSON numbers there and stay exact here. Everything is bounded:
// a server may be anything that listens on its port.
//
// The reader is between diag/matterserver, which holds the conversation, and
// packages wsjson and cluster, which know what attributes mean.
package wsdoc
