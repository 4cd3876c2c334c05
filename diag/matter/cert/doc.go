// Package cert reads, checks, converts and issues the operational
// certificates of Matter (Core 6.5): the root (RCAC), the intermediate (ICAC)
// and the node's own (NOC), in Matter's TLV form and as the X.509 that the
// signature is made over; and the PKCS#10 request a device makes for its NOC.
//
// [VerifyNode] is the only way from certificates that a peer sent to a
// [Peer]: it applies every rule, and nothing turns one off.
//
// crypto/x509 is not used: it reaches package net, and knows nothing of
// Matter's names. X.509 is written and read here, for the few forms that
// Matter allows.
//
// The reader is between the handshake (package sigma), which brings the
// certificates of a peer, and package fabric, which issues our own.
package cert
