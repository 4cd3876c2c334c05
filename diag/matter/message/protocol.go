package message

import "encoding/binary"

// Bits of the exchange flags (Core 4.4.3.1).
const (
	flagInitiator = 0x01
	flagAck       = 0x02
	flagReliable  = 0x04
	flagExtension = 0x08
	flagVendor    = 0x10
)

const (
	minProtocol = 6
	maxProtocol = 12 // without extensions
)

// A Protocol is the protocol header of a message: to which exchange it belongs
// and what its payload is.
type Protocol struct {
	Initiator bool   // the sender opened the exchange
	Reliable  bool   // the sender wants an acknowledgement
	HasAck    bool   // Ack is the counter of a message that came
	Opcode    uint8  // of the protocol
	Exchange  uint16 // its number, chosen by the initiator
	ID        uint16 // of the protocol
	Vendor    uint16 // of the protocol; 0: the standard
	Ack       uint32
}

// ParseProtocol reads the header of a plaintext and gives the payload, a part
// of b. The error is a [Drop].
func ParseProtocol(b []byte) (p Protocol, payload []byte, err error) {
	if len(b) < minProtocol {
		return Protocol{}, nil, Truncated
	}
	flags := b[0]
	p = Protocol{
		Initiator: flags&flagInitiator != 0,
		Reliable:  flags&flagReliable != 0,
		HasAck:    flags&flagAck != 0,
		Opcode:    b[1],
		Exchange:  binary.LittleEndian.Uint16(b[2:]),
	}
	n := 4
	if flags&flagVendor != 0 {
		// Stacks put the vendor first, as if both were one 32-bit number in
		// big-endian words; standard protocols have none.
		p.Vendor = binary.LittleEndian.Uint16(b[n:])
		n += 2
	}
	if len(b) < n+2 {
		return Protocol{}, nil, Truncated
	}
	p.ID = binary.LittleEndian.Uint16(b[n:])
	n += 2
	if p.HasAck {
		if len(b) < n+4 {
			return Protocol{}, nil, Truncated
		}
		p.Ack = binary.LittleEndian.Uint32(b[n:])
		n += 4
	}
	if flags&flagExtension != 0 {
		if n, err = skipExtension(b, n); err != nil {
			return Protocol{}, nil, err
		}
	}
	return p, b[n:len(b):len(b)], nil
}

// Append appends the header.
func (p Protocol) Append(b []byte) []byte {
	var flags byte
	if p.Initiator {
		flags |= flagInitiator
	}
	if p.HasAck {
		flags |= flagAck
	}
	if p.Reliable {
		flags |= flagReliable
	}
	if p.Vendor != 0 {
		flags |= flagVendor
	}
	b = append(b, flags, p.Opcode)
	b = binary.LittleEndian.AppendUint16(b, p.Exchange)
	if p.Vendor != 0 {
		b = binary.LittleEndian.AppendUint16(b, p.Vendor)
	}
	b = binary.LittleEndian.AppendUint16(b, p.ID)
	if p.HasAck {
		b = binary.LittleEndian.AppendUint32(b, p.Ack)
	}
	return b
}
