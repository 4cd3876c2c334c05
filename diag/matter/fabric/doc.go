// Package fabric is what a party needs to speak for one node of one Matter
// fabric: its certificates and key, the identity protection key, and the names
// that follow from them ([Member]); and the
// authority over threadmap's own fabric, which issues certificates to the
// nodes that were paired with it ([Authority]).
//
// Private keys and identity protection keys are secrets: whatever prints, logs
// or encodes a value of this package shows none of them. Only
// [Authority.File] writes them out, for a file of mode 0600.
//
// The reader is between package cert, which knows certificates, and package
// sigma, which proves with a Member who it is.
package fabric
