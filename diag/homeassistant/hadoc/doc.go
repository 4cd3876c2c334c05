// Package hadoc reads the diagnostics downloads of Home Assistant: the files
// behind "Download diagnostics" of an integration or a device, which are also
// what GET /api/diagnostics/config_entry/ID answers. It knows those of the
// Matter integration (every attribute that the Matter server holds of every
// node, or of one) and of the Thread integration (the border routers that Home
// Assistant hears, and the routes that they put into its host).
//
// A document may have been cut off, blanked out by hand ("**REDACTED**") or made
// by a hostile server: what can be read is read, a damaged node costs itself,
// and no problem quotes a value. Neither kind of document holds keys of a
// Thread network.
//
// It was written from Home Assistant's sources and their test fixtures, and from
// captured answers of a Matter server; no download of a real home was at hand.
//
// The package owns no socket and no file. The reader is below the source
// homeassistant and beside diag/dump, which both read these documents.
package hadoc
