// Package netdiag reads and writes what Thread nodes say in Network Diagnostic
// TLVs (Thread 10.11.4), the richest of them included: the Network Data (TLV 7,
// Thread 5.18).
//
// For each TLV there is an Append function, which writes it whole, and a Parse
// function, which reads its value; [SplitTLVs] takes a message apart, an
// [Assembly] puts the messages of one answer together, and [Report] makes the
// facts of a diag.Report of them. Unknown types are kept as they are. Values
// that are longer than known are read as far as known, because later versions
// of Thread append to them.
//
// It is pure: bytes in, values out. Inputs come from other people's radios, so
// lengths are checked before anything is kept, and a broken input gives an
// error that names the octet or the TLV, never a panic.
//
// The reader is below diag/tmf/meshcop and diag/tmf (which fetch these bytes by
// CoAP), beside diag/otbr/restdoc (which finds the Network Data as hexadecimal
// text in JSON), and below the simulated border agent, which writes them.
package netdiag
