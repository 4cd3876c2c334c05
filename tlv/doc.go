// Package tlv reads and writes Matter TLV (Matter Core Specification, appendix
// A), the encoding of everything Matter sends: messages, certificates and
// attribute values.
//
// [Decoder] pulls one element after the other out of a buffer, without
// allocating and without copying; [Encoder] mirrors it. Both keep their first
// error, so a caller reads or writes a whole structure and asks once.
//
// The package knows the syntax, with all eight forms of tags, and the rules of
// containers: members of a structure have tags, that do not repeat, elements of
// an array have none, an end marker is the bare byte 0x18. It knows no schema.
// What is only forbidden in a message, as a tag at the top level, is the
// business of the reader of that message.
//
// The reader is below all Matter packages (diag/matter/…), above nothing.
package tlv
