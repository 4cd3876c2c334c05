package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"
)

// Blocks of pcapng (draft-ietf-opsawg-pcapng). Others are stepped over.
const (
	blockSection   = 0x0a0d0d0a // the same in both byte orders
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6

	orderMagic = 0x1a2b3c4d
)

// Options of an interface.
const (
	optionEnd     = 0
	optionName    = 2
	optionTick    = 9
	optionOffset  = 14
	maxName       = 64
	maxInterfaces = 1024 // of one section; a machine has some dozens
	maxDescribed  = 64 << 10
)

// pcapng is the newer format: sections of blocks, and packets of several
// interfaces.
type pcapng struct {
	in     *input
	order  binary.ByteOrder
	ifaces []captured
	more   int // interfaces beyond those kept
	last   int64
	lost   int // packets that could not be taken
}

// captured is an interface that packets were captured on.
type captured struct {
	link   uint16
	name   string
	snap   uint32
	ticks  uint64 // in a second; 0: not to be had in 64 bits
	offset int64  // seconds
}

func (f *pcapng) format() string { return "pcapng" }

func (f *pcapng) next(p *packet) error {
	for {
		start := f.in.off
		h, err := f.in.take(8)
		if err != nil {
			return err
		}
		kind := f.order.Uint32(h)
		if kind == blockSection {
			if err := f.section(h[4:8]); err != nil {
				return err
			}
			continue
		}
		n := f.order.Uint32(h[4:])
		if n < 12 || n%4 != 0 {
			return fmt.Errorf("damaged at octet %d: a block of %d octets", start, n)
		}
		body := int64(n) - 12
		ok, tail := false, []byte(nil)
		switch limit := int64(maxPacket + 64); {
		case kind == blockInterface && body <= maxDescribed, (kind == blockEnhanced || kind == blockPacket || kind == blockSimple) && body <= limit:
			b, err := f.in.take(int(body) + 4)
			if err != nil {
				return within(err)
			}
			b, tail = b[:body], b[body:]
			if kind == blockInterface {
				f.iface(b)
			} else if ok = f.packet(kind, b, p); !ok {
				f.lost++
			}
		default:
			if err := f.in.skip(body); err != nil {
				return err
			}
			if tail, err = f.in.take(4); err != nil {
				return within(err)
			}
			switch kind {
			case blockInterface:
				f.more++
			case blockEnhanced, blockPacket, blockSimple:
				f.lost++
			}
		}
		if got := f.order.Uint32(tail); got != n {
			return fmt.Errorf("damaged at octet %d: a block of %d octets says %d at its end", start, n, got)
		}
		if ok {
			return nil
		}
	}
}

// section begins anew: its byte order is its own, as are its interfaces.
func (f *pcapng) section(length []byte) error {
	start := f.in.off - 8
	size := [4]byte(length)
	b, err := f.in.take(4)
	if err != nil {
		return within(err)
	}
	switch {
	case binary.LittleEndian.Uint32(b) == orderMagic:
		f.order = binary.LittleEndian
	case binary.BigEndian.Uint32(b) == orderMagic:
		f.order = binary.BigEndian
	default:
		return fmt.Errorf("damaged at octet %d: a section without a byte order", start)
	}
	n := f.order.Uint32(size[:])
	if n < 28 || n%4 != 0 {
		return fmt.Errorf("damaged at octet %d: a section header of %d octets", start, n)
	}
	f.ifaces, f.more = f.ifaces[:0], 0
	return f.in.skip(int64(n) - 12)
}

// iface reads the description of an interface. One that makes no sense keeps
// its number, and packets of it are counted as lost.
func (f *pcapng) iface(b []byte) {
	if len(f.ifaces) >= maxInterfaces || f.more > 0 {
		f.more++
		return
	}
	c := captured{ticks: 1_000_000}
	if len(b) < 8 {
		c.ticks = 0
		f.ifaces = append(f.ifaces, c)
		return
	}
	c.link, c.snap = f.order.Uint16(b), f.order.Uint32(b[4:])
	for o := b[8:]; len(o) >= 4; {
		code, n := f.order.Uint16(o), int(f.order.Uint16(o[2:]))
		if code == optionEnd || 4+n > len(o) {
			break
		}
		v := o[4 : 4+n]
		switch {
		case code == optionName:
			c.name = string(v[:min(len(v), maxName)])
		case code == optionTick && n == 1:
			c.ticks = ticks(v[0])
		case code == optionOffset && n == 8:
			c.offset = int64(f.order.Uint64(v))
		}
		o = o[min(len(o), 4+(n+3)&^3):]
	}
	f.ifaces = append(f.ifaces, c)
}

// ticks is how many units of time a second has, by if_tsresol: a negative power
// of 10, or of 2 where the top bit is set.
func ticks(resolution byte) uint64 {
	n := int(resolution & 0x7f)
	if resolution&0x80 != 0 {
		if n > 63 {
			return 0
		}
		return 1 << n
	}
	if n > 19 {
		return 0
	}
	t := uint64(1)
	for range n {
		t *= 10
	}
	return t
}

// packet reads a block with a packet; false: there is none that could be used.
func (f *pcapng) packet(kind uint32, b []byte, p *packet) bool {
	number, head := uint32(0), 20
	var n uint32
	switch kind {
	case blockSimple: // of the first interface, without a time
		if len(b) < 4 || len(f.ifaces) == 0 {
			return false
		}
		head, n = 4, f.order.Uint32(b)
		if s := f.ifaces[0].snap; s > 0 {
			n = min(n, s)
		}
		n = min(n, uint32(len(b)-4))
	default:
		if len(b) < head {
			return false
		}
		if number = f.order.Uint32(b); kind == blockPacket {
			number = uint32(f.order.Uint16(b))
		}
		n = f.order.Uint32(b[12:])
	}
	if uint64(number) >= uint64(len(f.ifaces)) || uint64(n) > uint64(len(b)-head) {
		return false
	}
	c := &f.ifaces[number]
	if kind != blockSimple {
		at, ok := c.time(uint64(f.order.Uint32(b[4:]))<<32 | uint64(f.order.Uint32(b[8:])))
		if !ok {
			return false
		}
		f.last = at
	}
	*p = packet{at: f.last, link: c.link, iface: c.name, data: b[head : head+int(n) : head+int(n)]}
	return true
}

// maxTime is the end of the year 2199: a later time is no time of a capture.
const maxTime = 7_258_118_400

// time turns units since 1970 into nanoseconds.
func (c *captured) time(units uint64) (int64, bool) {
	if c.ticks == 0 {
		return 0, false
	}
	sec, rest := units/c.ticks, units%c.ticks
	if sec > maxTime || c.offset > maxTime || c.offset < -maxTime {
		return 0, false
	}
	hi, lo := bits.Mul64(rest, uint64(time.Second))
	nanos, _ := bits.Div64(hi, lo, c.ticks) // rest < ticks, so the quotient fits
	total := int64(sec) + c.offset
	if total < 0 || total > maxTime {
		return 0, false
	}
	return total*int64(time.Second) + int64(nanos), true
}
