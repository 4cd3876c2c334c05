package cert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Name is a distinguished name: one attribute in each of its relative
// names, in their order (Core 6.5.6).
type Name []Attribute

// An Attribute is one part of a Name. Two attributes are the same only if they
// are encoded the same way too.
type Attribute struct {
	Type      AttributeType
	Text      string // of the types 1 to 16
	Printable bool   // Text is a PrintableString; else UTF8String, or IA5String for DomainComponent
	ID        uint64 // of the types 17 to 23
}

// An AttributeType is the context tag of an attribute in a TLV certificate
// (Core 6.5.6).
type AttributeType uint8

// Attribute types.
const (
	CommonName         AttributeType = 1
	Surname            AttributeType = 2
	SerialNumber       AttributeType = 3
	CountryName        AttributeType = 4
	LocalityName       AttributeType = 5
	StateName          AttributeType = 6
	OrganizationName   AttributeType = 7
	OrganizationalUnit AttributeType = 8
	Title              AttributeType = 9
	GivenNames         AttributeType = 10 // id-at-name
	GivenName          AttributeType = 11
	Initials           AttributeType = 12
	GenQualifier       AttributeType = 13
	DNQualifier        AttributeType = 14
	Pseudonym          AttributeType = 15
	DomainComponent    AttributeType = 16
	NodeID             AttributeType = 17 // matter-node-id
	FirmwareSigningID  AttributeType = 18 // matter-firmware-signing-id
	ICACID             AttributeType = 19 // matter-icac-id
	RCACID             AttributeType = 20 // matter-rcac-id
	FabricID           AttributeType = 21 // matter-fabric-id
	NOCCAT             AttributeType = 22 // matter-noc-cat, 32 bits
	VVSID              AttributeType = 23 // matter-vvs-id
)

// printableTag in the context tag of a text attribute says PrintableString.
const printableTag = 0x80

// oids holds the object identifier of each attribute type, as the content
// octets of its DER form; index 0 is unused.
var oids = [...]string{
	CommonName:         "\x55\x04\x03",
	Surname:            "\x55\x04\x04",
	SerialNumber:       "\x55\x04\x05",
	CountryName:        "\x55\x04\x06",
	LocalityName:       "\x55\x04\x07",
	StateName:          "\x55\x04\x08",
	OrganizationName:   "\x55\x04\x0a",
	OrganizationalUnit: "\x55\x04\x0b",
	Title:              "\x55\x04\x0c",
	GivenNames:         "\x55\x04\x29",
	GivenName:          "\x55\x04\x2a",
	Initials:           "\x55\x04\x2b",
	GenQualifier:       "\x55\x04\x2c",
	DNQualifier:        "\x55\x04\x2e",
	Pseudonym:          "\x55\x04\x41",
	DomainComponent:    "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", // 0.9.2342.19200300.100.1.25
	NodeID:             matterOID + "\x01",
	FirmwareSigningID:  matterOID + "\x02",
	ICACID:             matterOID + "\x03",
	RCACID:             matterOID + "\x04",
	FabricID:           matterOID + "\x05",
	NOCCAT:             matterOID + "\x06",
	VVSID:              matterOID + "\x07",
}

// matterOID is 1.3.6.1.4.1.37244.1, the arc of Matter's own attributes.
const matterOID = "\x2b\x06\x01\x04\x01\x82\xa2\x7c\x01"

func attributeOf(oid []byte) (AttributeType, bool) {
	i := slices.Index(oids[:], string(oid))
	return AttributeType(i), i > 0
}

// known reports whether Matter has the type.
func (t AttributeType) known() bool { return t >= 1 && int(t) < len(oids) }

// matter reports whether the type is one of Matter's own, a number.
func (t AttributeType) matter() bool { return t >= NodeID && t <= VVSID }

// digits is the length of a Matter attribute in X.509, in hexadecimal digits.
func (t AttributeType) digits() int {
	if t == NOCCAT {
		return 8
	}
	return 16
}

// hex is the X.509 form of a Matter attribute: upper case, padded.
func (a Attribute) hex() string { return fmt.Sprintf("%0*X", a.Type.digits(), a.ID) }

// parseHex is the reverse.
func (t AttributeType) parseHex(s []byte) (uint64, error) {
	if len(s) != t.digits() {
		return 0, fmt.Errorf("%s: %d characters, not %d", t, len(s), t.digits())
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return 0, fmt.Errorf("%s: not upper-case hexadecimal", t)
		}
	}
	return strconv.ParseUint(string(s), 16, 64)
}

func (t AttributeType) String() string {
	switch t {
	case NodeID:
		return "matter-node-id"
	case FirmwareSigningID:
		return "matter-firmware-signing-id"
	case ICACID:
		return "matter-icac-id"
	case RCACID:
		return "matter-rcac-id"
	case FabricID:
		return "matter-fabric-id"
	case NOCCAT:
		return "matter-noc-cat"
	case VVSID:
		return "matter-vvs-id"
	}
	return fmt.Sprintf("name attribute %d", uint8(t))
}

// form checks what a certificate can express.
func (n Name) form() error {
	if len(n) == 0 || len(n) > maxRDNs {
		return fmt.Errorf("%d attributes, not 1 to %d", len(n), maxRDNs)
	}
	for _, a := range n {
		if err := a.form(); err != nil {
			return fmt.Errorf("%s: %w", a.Type, err)
		}
	}
	return nil
}

func (a Attribute) form() error {
	switch {
	case !a.Type.known():
		return fmt.Errorf("unknown to Matter")
	case a.Type.matter():
		if a.Text != "" || a.Printable {
			return fmt.Errorf("has text, and is a number")
		}
		if a.Type == NOCCAT && a.ID > 1<<32-1 {
			return fmt.Errorf("more than 32 bits")
		}
		return nil
	case a.ID != 0:
		return fmt.Errorf("has a number, and is text")
	case len(a.Text) > MaxTLV:
		return fmt.Errorf("%d octets of text, more than a certificate", len(a.Text))
	case a.Printable && strings.ContainsFunc(a.Text, func(r rune) bool { return !printable(r) }):
		return fmt.Errorf("a character that no PrintableString has")
	case !a.Printable && a.Type == DomainComponent && strings.ContainsFunc(a.Text, func(r rune) bool { return r >= 0x80 }):
		return fmt.Errorf("a character that no IA5String has")
	case !utf8.ValidString(a.Text):
		return fmt.Errorf("not UTF-8")
	}
	return nil
}

// printable is the alphabet of PrintableString (X.680, section 41.4), and '*'
// and '&', which real certificates have.
func printable(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < 0x80 && strings.ContainsRune(" '()+,-./:=?*&", r)
}

// Equal reports whether two names are the same: attributes, order, encodings.
func (n Name) Equal(m Name) bool { return slices.Equal(n, m) }

// IDs are the values that a name has for one of Matter's attribute types.
func (n Name) IDs(t AttributeType) []uint64 {
	var ids []uint64
	for _, a := range n {
		if a.Type == t && t.matter() {
			ids = append(ids, a.ID)
		}
	}
	return ids
}
