package redact

import (
	"net/netip"
	"strings"

	"threadmap/diag"
)

// What follows gives pseudonyms of single values, for documents that are not made
// of reports. With one key they are those of redacted scans.

// ExtAddr is the pseudonym of an extended address.
func (r *Redactor) ExtAddr(x diag.ExtAddr) diag.ExtAddr { return r.ext(x) }

// Matter is the pseudonym of a node on a fabric.
func (r *Redactor) Matter(m diag.MatterID) diag.MatterID { return r.matter(m) }

// Address is the pseudonym of an IPv6 address; ok is false where it is to be left
// out.
func (r *Redactor) Address(a netip.Addr) (out netip.Addr, ok bool) { return r.address(a) }

// Prefix is the pseudonym of an IPv6 prefix, invalid where it is to be left out.
func (r *Redactor) Prefix(p netip.Prefix) netip.Prefix { return r.prefix(p) }

// Host is the pseudonym of a host name: of its first label, without the rest.
func (r *Redactor) Host(name string) string {
	label, _, _ := strings.Cut(name, ".")
	if label == "" {
		return ""
	}
	return r.host(label)
}

// Instance is the pseudonym of the name of a DNS-SD instance, without its service.
func (r *Redactor) Instance(name string) string {
	if name == "" {
		return ""
	}
	return r.instance(name)
}

// Number is the pseudonym of a 64-bit value of a kind; 0 stays.
func (r *Redactor) Number(kind string, v uint64) uint64 { return r.number(kind, v) }

// Word is a pseudonym for text of a kind: "host-3fa9c1d2"; "" stays.
func (r *Redactor) Word(kind, value string) string { return r.word(kind, value) }

// Makers is what a maker says of its product, where that is kept.
func (r *Redactor) Makers(s string) string { return makers(s) }
