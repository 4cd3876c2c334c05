// Package setup reads and writes the codes with which a Matter device is
// paired (Core 5.1): what its QR code says ("MT:…"), and the 11 or 21 digits of
// the manual pairing code.
//
// A code has the device's passcode in it, a secret: no error of this package
// and nothing that prints a [Payload] shows it.
//
// The reader is behind whoever asked the user for a code, before package pase,
// which proves with the passcode that it was meant for this device.
package setup
