package commission

import (
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"threadmap/tlv"
)

// A declaration is what a certification declaration says (Core 6.3.1). Who signed
// it is not looked at: the keys are published on the internet.
type declaration struct {
	vendor     uint16
	products   []uint16
	number     string // of the certificate, 19 characters
	dacVendor  uint16 // dac_origin_vendor_id; 0: none
	dacProduct uint16 // dac_origin_product_id; 0: none
}

// covers reports whether the declaration is for a product.
func (d declaration) covers(product uint16) bool {
	return slices.Contains(d.products, product) || d.dacProduct != 0 && d.dacProduct == product
}

// maxProducts is how many products one declaration is for at most.
const maxProducts = 100

var errNotCMS = errors.New("not a message signed as Matter does (CMS)")

// parseDeclaration reads a CMS SignedData (RFC 5652) around the structure.
func parseDeclaration(cms []byte) (d declaration, err error) {
	s := cryptobyte.String(cms)
	var outer, wrapped, signed, info, content, octets cryptobyte.String
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() ||
		!outer.SkipASN1(asn1.OBJECT_IDENTIFIER) || !outer.ReadASN1(&wrapped, asn1.Tag(0).ContextSpecific().Constructed()) ||
		!wrapped.ReadASN1(&signed, asn1.SEQUENCE) ||
		!signed.SkipASN1(asn1.INTEGER) || !signed.SkipASN1(asn1.SET) || !signed.ReadASN1(&info, asn1.SEQUENCE) ||
		!info.SkipASN1(asn1.OBJECT_IDENTIFIER) || !info.ReadASN1(&content, asn1.Tag(0).ContextSpecific().Constructed()) ||
		!content.ReadASN1(&octets, asn1.OCTET_STRING) {
		return declaration{}, errNotCMS
	}
	err = each(octets, func(n uint8, t *tlv.Decoder) {
		switch n {
		case 1:
			d.vendor = t.Uint16()
		case 2:
			t.EnterKind(tlv.Array)
			for t.Next() {
				if len(d.products) == maxProducts {
					t.Fail(errors.New("too many products"))
					return
				}
				d.products = append(d.products, t.Uint16())
			}
			t.Leave()
		case 4:
			d.number = words(t.Text())
		case 9:
			d.dacVendor = t.Uint16()
		case 10:
			d.dacProduct = t.Uint16()
		}
	})
	if err == nil && d.vendor == 0 {
		err = errors.New("it names no vendor")
	}
	return d, err
}
