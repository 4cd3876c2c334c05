package cluster

import (
	"strings"

	"threadmap/diag"
)

// Attributes of Basic Information. Serial numbers and the location are not
// read: nothing needs them, and a report may be handed on.
const (
	basicVendorName            = 0x0001
	basicProductName           = 0x0003
	basicNodeLabel             = 0x0005
	basicSoftwareVersionString = 0x000A
	basicProductLabel          = 0x000E
)

// decodeBasicInformation reads cluster 0x0028.
func decodeBasicInformation(r *reader, rep *diag.Report) {
	rep.Vendor = r.text(basicVendorName, "VendorName")
	rep.Product = r.text(basicProductName, "ProductName")
	rep.Firmware = r.text(basicSoftwareVersionString, "SoftwareVersionString")
	if s := r.text(basicNodeLabel, "NodeLabel"); s != "" {
		rep.Names = append(rep.Names, diag.Name{Value: s, Kind: diag.NameLabel})
	}
	product := r.text(basicProductLabel, "ProductLabel")
	if product == "" {
		product = rep.Product
	}
	if product == "" {
		return
	}
	if rep.Vendor != "" && !strings.HasPrefix(strings.ToLower(product), strings.ToLower(rep.Vendor)) {
		product = rep.Vendor + " " + product
	}
	rep.Names = append(rep.Names, diag.Name{Value: product, Kind: diag.NameProduct})
}
