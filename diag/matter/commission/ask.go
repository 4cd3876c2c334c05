package commission

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/tlv"
)

// A request is a certificate request whose signature is right.
type request struct{ key *ecdsa.PublicKey }

// invoke runs a command and gives the fields of its answer.
func invoke(ctx context.Context, s *session.Secure, command, answer im.CommandPath, put func(*tlv.Encoder)) ([]byte, error) {
	if put == nil {
		put = func(*tlv.Encoder) {}
	}
	r, err := client.Invoke(ctx, s, command, fields(put))
	switch {
	case err != nil:
		return nil, err
	case r.IsStatus:
		return nil, errors.New("it says success without an answer")
	case r.Path != answer:
		return nil, fmt.Errorf("its answer is command %v, not %v", r.Path, answer)
	}
	return r.Fields, nil
}

// status runs a command that is answered with a status.
func status(ctx context.Context, s *session.Secure, command im.CommandPath, put func(*tlv.Encoder)) error {
	r, err := client.Invoke(ctx, s, command, fields(put))
	switch {
	case err != nil:
		return err
	case !r.IsStatus:
		return fmt.Errorf("its answer is command %v, not a status", r.Path)
	}
	return nil
}

// commissioning runs a command that is answered with a CommissioningErrorEnum.
func commissioning(ctx context.Context, s *session.Secure, command, answer im.CommandPath, put func(*tlv.Encoder)) error {
	b, err := invoke(ctx, s, command, answer, put)
	if err != nil {
		return err
	}
	c, err := parseCommissioning(b)
	if err != nil {
		return err
	}
	return c.commissioning()
}

// A basicInfo is what a node says of how it wants to be commissioned. Zero is
// what it did not say.
type basicInfo struct {
	failSafe, cumulative           time.Duration
	regulatory, locationCapability uint8
}

// indoorOutdoor of RegulatoryLocationTypeEnum: both.
const indoorOutdoor = 2

// maxFabrics bounds the rows of Fabrics (Core 11.18.5.3).
const maxFabrics = 254

// read asks who the node is: nine attributes, which every node gives in one
// request (Core 2.11.2).
func (f *flow) read(ctx context.Context) error {
	paths := []im.AttributePath{
		im.One(0, generalCommissioning, 1), im.One(0, generalCommissioning, 2), im.One(0, generalCommissioning, 3),
		im.One(0, basicInformation, 1), im.One(0, basicInformation, 2), im.One(0, basicInformation, 3), im.One(0, basicInformation, 4), im.One(0, basicInformation, 5),
		im.One(0, operationalCredentials, 1),
	}
	r, err := client.Read(ctx, f.pase, im.ReadRequest{Attributes: paths})
	if err != nil {
		return err
	}
	for v := range r.Attributes.Values() {
		if v.Err != nil || v.Data == nil || v.Path.Endpoint != 0 {
			continue // whatever it does not say is not known
		}
		f.learn(v)
	}
	return nil
}

// learn takes one attribute. One of the wrong type is one that was not said.
func (f *flow) learn(v im.Value) {
	d := tlv.NewDecoder(v.Data)
	if !d.Next() {
		return
	}
	switch v.Path.Cluster {
	case generalCommissioning:
		switch v.Path.Attribute {
		case 1:
			var info basicInfo
			each(v.Data, func(n uint8, d *tlv.Decoder) {
				switch n {
				case 0:
					info.failSafe = time.Duration(d.Uint16()) * time.Second
				case 1:
					info.cumulative = time.Duration(d.Uint16()) * time.Second
				}
			})
			f.info.failSafe, f.info.cumulative = info.failSafe, info.cumulative
		case 2:
			f.info.regulatory = d.Uint8()
		case 3:
			f.info.locationCapability = d.Uint8()
		}
	case basicInformation:
		switch v.Path.Attribute {
		case 1:
			f.VendorName = words(d.Text())
		case 2:
			f.Vendor = d.Uint16()
		case 3:
			f.ProductName = words(d.Text())
		case 4:
			f.Product = d.Uint16()
		case 5:
			f.Result.Label = words(d.Text())
		}
	case operationalCredentials:
		f.fabrics(&d)
	}
}

// fabrics looks for ours among those that the node is on.
func (f *flow) fabrics(d *tlv.Decoder) {
	d.EnterKind(tlv.Array)
	root := f.Authority.Root().PublicKey
	for rows := 0; d.Next() && rows < maxFabrics; rows++ {
		var key []byte
		var fabricID, node uint64
		d.EnterKind(tlv.Struct)
		for d.Next() {
			switch d.Tag() {
			case tlv.Context(1):
				key = d.Octets()
			case tlv.Context(3):
				fabricID = d.Uint()
			case tlv.Context(4):
				node = d.Uint()
			}
		}
		d.Leave()
		if d.Err() != nil {
			return
		}
		if string(key) == string(root[:]) && fabricID == f.Authority.FabricID() && node != 0 {
			f.Already, f.Result.NodeID = true, node
		} else {
			f.Fabrics++
		}
	}
}
