// Package snapshot keeps a [diag.Scan] in a file and reads it back.
//
// A snapshot stores facts (reports and problems), never conclusions, so that a
// scan of last year is redrawn by the inference of today. It is one CBOR item
// (RFC 8949) that describes itself: tag 55799 around
//
//	{"format": "threadmap-snapshot", "version": 1, "contents": {…}}
//
// whose contents have the keys of the struct tags of package diag. Addresses
// are text, times are RFC 3339 text in UTC with nanoseconds, durations are
// nanoseconds, extended addresses and ids are unsigned integers. Equal scans
// give the same bytes (RFC 8949, section 4.2.1).
//
// # Versions
//
// Keys may be added within a version: a reader skips those that it does not
// know. Whatever else changes takes a new version. [Read] refuses a newer
// version than its own, and reads every older one through the list upgrades.
//
// # Trust
//
// A snapshot may come from anybody, attached to a ticket. So it is bounded
// before it is decoded (size, depth, elements, total weight), and after it each
// value is held against the vocabulary: what no source could have said becomes
// unknown, with a [diag.Problem] that says so. [Write] does the same, so that
// whatever was written can be read, and reading gives back what was written.
//
// The reader is beside package diag, below cmd/threadmap, which opens the
// files; this package opens none.
package snapshot
