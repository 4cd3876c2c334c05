// Package netdiag reads what Thread nodes say in Network Diagnostic TLVs
// (Thread 10.11.4), starting with the richest of them, the Network Data (TLV 7,
// Thread 5.18).
//
// It is pure: bytes in, values out. Inputs come from other people's radios, so
// lengths are checked before anything is kept, and a broken input gives an
// error that names the octet, never a panic.
//
// The reader is beside the TMF conversation (which fetches these bytes by CoAP)
// and diag/otbr/restdoc (which finds them as hexadecimal text in JSON); both
// turn them into the fields of a diag.Report.
package netdiag
