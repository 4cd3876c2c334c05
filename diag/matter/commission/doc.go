// Package commission brings a Matter node that waits for it onto threadmap's own
// fabric, and takes it off again (Core 5.5, 11.10 and 11.18):
//
//	PASE with the setup code
//	read who it is, and on which fabrics it is already
//	ArmFailSafe              whatever goes wrong from here on is undone
//	attestation              who made it: read and reported
//	CSRRequest, AddTrustedRootCertificate, AddNOC
//	CASE with the new certificate
//	CommissioningComplete
//
// The node is on an IP network already: a home's app has paired it, and opened
// its commissioning window for one administrator more. So no network is set up.
//
// Attestation is not enforced. It protects a home from giving its network's
// credentials, and its trust, to a counterfeit; threadmap gives neither: it
// reads what the node says, and draws it. What the certificates say is in the
// [Result], for people to judge.
//
// A commissioning that fails is undone by ArmFailSafe(0), or where the node can't
// be reached for that, by the node itself when its fail-safe expires. Errors are
// of type [*Error], one line with the step and what to do.
//
// The reader is above session and client, which ask, and fabric, which issues
// the certificates; below are only the verbs "login matter" and "pair".
package commission
