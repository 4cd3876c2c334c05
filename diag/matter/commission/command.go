package commission

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// The clusters of commissioning, all on endpoint 0 (Core 11.10, 11.1 and 11.18).
const (
	basicInformation       uint32 = 0x0028
	generalCommissioning   uint32 = 0x0030
	operationalCredentials uint32 = 0x003E
)

func general(command uint32) im.CommandPath {
	return im.CommandPath{Cluster: generalCommissioning, Command: command}
}

func credentials(command uint32) im.CommandPath {
	return im.CommandPath{Cluster: operationalCredentials, Command: command}
}

// The commands, and the answers to those that are not answered with a status.
var (
	armFailSafe               = general(0x00)
	armFailSafeResponse       = general(0x01)
	setRegulatoryConfig       = general(0x02)
	setRegulatoryResponse     = general(0x03)
	commissioningComplete     = general(0x04)
	commissioningDone         = general(0x05)
	attestationRequest        = credentials(0x00)
	attestationResponse       = credentials(0x01)
	certificateChainRequest   = credentials(0x02)
	certificateChainResponse  = credentials(0x03)
	csrRequest                = credentials(0x04)
	csrResponse               = credentials(0x05)
	addNOC                    = credentials(0x06)
	nocResponse               = credentials(0x08)
	updateFabricLabel         = credentials(0x09)
	removeFabric              = credentials(0x0A)
	addTrustedRootCertificate = credentials(0x0B)
)

// Values of CertificateChainTypeEnum (Core 11.18.4.1).
const (
	certificateDAC uint64 = 1
	certificatePAI uint64 = 2
)

// fields encodes the fields of a command.
func fields(put func(e *tlv.Encoder)) []byte {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	put(&e)
	e.End()
	b, err := e.Bytes()
	if err != nil {
		panic(err) // the schema is in this package
	}
	return b
}

// each calls one for every field of an answer, with the number of its tag. Fields
// of later revisions are passed over by the caller.
func each(answer []byte, one func(n uint8, d *tlv.Decoder)) error {
	if len(answer) > im.MaxMessage {
		return errors.New("its answer is too long")
	}
	d := tlv.NewDecoder(answer)
	if !d.Next() {
		if d.Err() != nil {
			return d.Err()
		}
		return errors.New("its answer is empty")
	}
	d.EnterKind(tlv.Struct)
	for d.Next() {
		if n, ok := d.Tag().Context(); ok {
			one(n, &d)
		}
	}
	d.Leave()
	return d.Err()
}

// A code is the ErrorCode or StatusCode of an answer (tag 0), with the DebugText
// that may stand beside it.
type code struct {
	known bool
	value uint8
	text  string
	index uint8 // FabricIndex of a NOCResponse; 0: not said
}

// parseCommissioning reads ArmFailSafeResponse, SetRegulatoryConfigResponse and
// CommissioningCompleteResponse.
func parseCommissioning(answer []byte) (c code, err error) {
	err = each(answer, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 0:
			c.known, c.value = true, d.Uint8()
		case 1:
			c.text = words(d.Text())
		}
	})
	return c, c.complete(err)
}

// parseNOC reads NOCResponse.
func parseNOC(answer []byte) (c code, err error) {
	err = each(answer, func(n uint8, d *tlv.Decoder) {
		switch {
		case n == 0:
			c.known, c.value = true, d.Uint8()
		case d.Kind() == tlv.Null: // the optional ones, as some send them
		case n == 1:
			c.index = d.Uint8()
		case n == 2:
			c.text = words(d.Text())
		}
	})
	return c, c.complete(err)
}

func (c code) complete(err error) error {
	if err == nil && !c.known {
		return errors.New("its answer has no code")
	}
	return err
}

// Values of CommissioningErrorEnum (Core 11.10.5.1).
const (
	commissioningOK       = 0
	noFailSafe            = 3
	busyWithOtherAdmin    = 4
	termsNotAccepted      = 5
	termsNotAcknowledged  = 6
	termsOfOlderVersion   = 7
	invalidAuthentication = 2
	valueOutsideRange     = 1
)

// commissioning is what a CommissioningErrorEnum means, nil for success.
func (c code) commissioning() error {
	switch c.value {
	case commissioningOK:
		return nil
	case valueOutsideRange:
		return c.refused("a value is out of its range")
	case invalidAuthentication:
		return c.refused("it does not take this command on this session")
	case noFailSafe:
		return c.refused("its fail-safe is not armed: it expired, or somebody else is pairing it")
	case busyWithOtherAdmin:
		return c.refused("another controller is changing its settings")
	case termsNotAccepted, termsNotAcknowledged, termsOfOlderVersion:
		return c.refused("its maker's terms and conditions are not accepted yet: accept them in its maker's app")
	}
	return c.refused(fmt.Sprintf("commissioning error %d", c.value))
}

// Values of NodeOperationalCertStatusEnum (Core 11.18.4.2).
const (
	nocOK              = 0
	nocTableFull       = 5
	nocFabricConflict  = 9
	nocInvalidFabric   = 11
	nocStatusesOfChain = 4 // and below: the certificates
)

// noc is what a NodeOperationalCertStatusEnum means, nil for success.
func (c code) noc() error {
	switch {
	case c.value == nocOK:
		return nil
	case c.value <= nocStatusesOfChain:
		return c.refused(fmt.Sprintf("it does not take our certificate (status %d)", c.value))
	case c.value == nocTableFull:
		return c.refused("it is on as many fabrics as it has room for: remove it from one of its home apps first")
	case c.value == nocFabricConflict:
		return c.refused("it is on threadmap's fabric already")
	case c.value == nocInvalidFabric:
		return c.refused("it has no such fabric")
	}
	return c.refused(fmt.Sprintf("status %d", c.value))
}

// A refusal is a node's clear no.
type refusal struct {
	text string
	code uint8
}

func (r *refusal) Error() string { return r.text }

func (c code) refused(why string) error {
	if c.text != "" {
		why = fmt.Sprintf("%s (it says %q)", why, c.text)
	}
	return &refusal{why, c.value}
}

// maxWords bounds a text of a node that is shown to people, in octets.
const maxWords = 128

// words are a node's text as a line can show it: no control characters, bounded.
func words(b []byte) string {
	s := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, tlv.Display(b[:min(len(b), maxWords)]))
	return strings.TrimSpace(s)
}
