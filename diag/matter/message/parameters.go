package message

import (
	"time"

	"threadmap/tlv"
)

// Defaults and limits of session parameters (Core 4.12.8 and 4.13.1).
const (
	DefaultIdle            = 500 * time.Millisecond
	DefaultActive          = 300 * time.Millisecond
	DefaultActiveThreshold = 4 * time.Second
	// MaxInterval is the longest idle or active interval that a peer may claim.
	MaxInterval = time.Hour
	// MaxActiveThreshold is the longest active threshold.
	MaxActiveThreshold = 65535 * time.Millisecond

	defaultDataModel        = 17
	defaultInteractionModel = 11
	defaultMaxPaths         = 1
)

// SessionParameters are what a node says about itself in the first messages of
// PASE and CASE, and partly in its DNS-SD records (Core 4.13.1): above all how
// long a sender has to wait for it. The zero value says nothing; see
// [SessionParameters.WithDefaults]. Times are sent in whole milliseconds.
type SessionParameters struct {
	Idle                     time.Duration // SESSION_IDLE_INTERVAL (SII)
	Active                   time.Duration // SESSION_ACTIVE_INTERVAL (SAI)
	ActiveThreshold          time.Duration // SESSION_ACTIVE_THRESHOLD (SAT): how long a node stays active after a message
	DataModelRevision        uint16
	InteractionModelRevision uint16
	SpecificationVersion     uint32 // 0xMMmmpp00: 1.4.0 is 0x01040000
	MaxPathsPerInvoke        uint16
	SupportedTransports      uint16 // bit 1 TCP client, bit 2 TCP server
	MaxTCPMessageSize        uint32 // octets

	// Said is what was decoded, so that a zero that was said is told from
	// nothing. Who makes parameters may leave it alone: Encode writes every
	// field that is in Said or is not zero.
	Said ParameterSet
}

// A ParameterSet is a set of fields of [SessionParameters].
type ParameterSet uint16

// The fields; the bit is the number of the context tag.
const (
	SaidIdle ParameterSet = 1 << (iota + 1)
	SaidActive
	SaidActiveThreshold
	SaidDataModelRevision
	SaidInteractionModelRevision
	SaidSpecificationVersion
	SaidMaxPathsPerInvoke
	SaidSupportedTransports
	SaidMaxTCPMessageSize
)

// said is Said and the fields that are not zero.
func (p SessionParameters) said() ParameterSet {
	s := p.Said
	for _, f := range [...]struct {
		zero bool
		bit  ParameterSet
	}{
		{p.Idle == 0, SaidIdle}, {p.Active == 0, SaidActive}, {p.ActiveThreshold == 0, SaidActiveThreshold},
		{p.DataModelRevision == 0, SaidDataModelRevision}, {p.InteractionModelRevision == 0, SaidInteractionModelRevision},
		{p.SpecificationVersion == 0, SaidSpecificationVersion}, {p.MaxPathsPerInvoke == 0, SaidMaxPathsPerInvoke},
		{p.SupportedTransports == 0, SaidSupportedTransports}, {p.MaxTCPMessageSize == 0, SaidMaxTCPMessageSize},
	} {
		if !f.zero {
			s |= f.bit
		}
	}
	return s
}

// IsZero reports whether p says nothing at all.
func (p SessionParameters) IsZero() bool { return p.said() == 0 }

// Or is p, and what p does not say is taken from q: parameters of a handshake
// over those of DNS-SD.
func (p SessionParameters) Or(q SessionParameters) SessionParameters {
	have, more := p.said(), q.said()
	take := more &^ have
	if take&SaidIdle != 0 {
		p.Idle = q.Idle
	}
	if take&SaidActive != 0 {
		p.Active = q.Active
	}
	if take&SaidActiveThreshold != 0 {
		p.ActiveThreshold = q.ActiveThreshold
	}
	if take&SaidDataModelRevision != 0 {
		p.DataModelRevision = q.DataModelRevision
	}
	if take&SaidInteractionModelRevision != 0 {
		p.InteractionModelRevision = q.InteractionModelRevision
	}
	if take&SaidSpecificationVersion != 0 {
		p.SpecificationVersion = q.SpecificationVersion
	}
	if take&SaidMaxPathsPerInvoke != 0 {
		p.MaxPathsPerInvoke = q.MaxPathsPerInvoke
	}
	if take&SaidSupportedTransports != 0 {
		p.SupportedTransports = q.SupportedTransports
	}
	if take&SaidMaxTCPMessageSize != 0 {
		p.MaxTCPMessageSize = q.MaxTCPMessageSize
	}
	p.Said = have | more
	return p
}

// WithDefaults is what a sender goes by: p, the standard's defaults for what p
// does not say, and intervals cut to what may be claimed. SpecificationVersion
// has no default: below 1.3 it was not sent. Said stays what it was.
func (p SessionParameters) WithDefaults() SessionParameters {
	said := p.Said
	p = p.Or(SessionParameters{
		Idle: DefaultIdle, Active: DefaultActive, ActiveThreshold: DefaultActiveThreshold,
		DataModelRevision: defaultDataModel, InteractionModelRevision: defaultInteractionModel,
		MaxPathsPerInvoke: defaultMaxPaths,
	})
	p.Said = said
	p.Idle = min(max(p.Idle, 0), MaxInterval)
	p.Active = min(max(p.Active, 0), MaxInterval)
	p.ActiveThreshold = min(max(p.ActiveThreshold, 0), MaxActiveThreshold)
	return p
}

// Encode writes the struct under tag t, fields in ascending order, as some
// decoders want it.
func (p SessionParameters) Encode(e *tlv.Encoder, t tlv.Tag) {
	said := p.said()
	e.Struct(t)
	put := func(n uint8, v uint64) {
		if said&(1<<n) != 0 {
			e.PutUint(tlv.Context(n), v)
		}
	}
	put(1, milliseconds(p.Idle, MaxInterval))
	put(2, milliseconds(p.Active, MaxInterval))
	put(3, milliseconds(p.ActiveThreshold, MaxActiveThreshold))
	put(4, uint64(p.DataModelRevision))
	put(5, uint64(p.InteractionModelRevision))
	put(6, uint64(p.SpecificationVersion))
	put(7, uint64(p.MaxPathsPerInvoke))
	put(8, uint64(p.SupportedTransports))
	put(9, uint64(p.MaxTCPMessageSize))
	e.End()
}

func milliseconds(d, limit time.Duration) uint64 {
	return uint64(min(max(d, 0), limit).Milliseconds())
}

// DecodeSessionParameters reads the struct that d stands on. Errors are d's:
// see tlv.Decoder.Err. Unknown fields are skipped.
func DecodeSessionParameters(d *tlv.Decoder) (p SessionParameters) {
	d.EnterKind(tlv.Struct)
	for d.Next() {
		n, ok := d.Tag().Context()
		if !ok {
			continue
		}
		switch n {
		case 1:
			p.Idle = time.Duration(d.Uint32()) * time.Millisecond
		case 2:
			p.Active = time.Duration(d.Uint32()) * time.Millisecond
		case 3:
			p.ActiveThreshold = time.Duration(d.Uint16()) * time.Millisecond
		case 4:
			p.DataModelRevision = d.Uint16()
		case 5:
			p.InteractionModelRevision = d.Uint16()
		case 6:
			p.SpecificationVersion = d.Uint32()
		case 7:
			p.MaxPathsPerInvoke = d.Uint16()
		case 8:
			p.SupportedTransports = d.Uint16()
		case 9:
			p.MaxTCPMessageSize = d.Uint32()
		default:
			continue
		}
		p.Said |= 1 << n
	}
	d.Leave()
	if d.Err() != nil {
		return SessionParameters{}
	}
	return p
}
