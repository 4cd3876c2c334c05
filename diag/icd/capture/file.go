package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxPacket is the largest packet that capture programs write (libpcap's
// MAXIMUM_SNAPLEN).
const maxPacket = 262_144

// A packet is one of a file, valid until the next is read.
type packet struct {
	at    int64 // nanoseconds since 1970
	link  uint16
	iface string // "" where the file does not say
	data  []byte
}

// A source gives the packets of a file. The error is io.EOF at its end.
type source interface {
	next(*packet) error
	format() string
}

// input is a file and where one is in it.
type input struct {
	r   *bufio.Reader
	off int64
}

// take gives the next n octets, valid until the next call; n is at most the
// size of the buffer. At the end of the file the error is io.EOF, within the
// octets io.ErrUnexpectedEOF.
func (in *input) take(n int) ([]byte, error) {
	b, err := in.r.Peek(n)
	if err != nil {
		if errors.Is(err, io.EOF) && len(b) > 0 {
			err = io.ErrUnexpectedEOF
		}
		in.off += int64(len(b))
		return nil, err
	}
	_, _ = in.r.Discard(n) // they are in the buffer
	in.off += int64(n)
	return b, nil
}

// skip steps over n octets, however many.
func (in *input) skip(n int64) error {
	m, err := io.CopyN(io.Discard, in.r, n)
	in.off += m
	return within(err)
}

// within is the error of a file that ends where it must not.
func within(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Errors say what is wrong with the file as a whole.
var (
	errNoCapture = errors.New("no packet capture: want a file of pcap or pcapng, as tcpdump and Wireshark write")
	errGzip      = errors.New("the file is packed with gzip: unpack it first (gunzip)")
	errRadio     = errors.New("a capture of the radio (IEEE 802.15.4), which is sealed: capture on the home's LAN instead, for example with tcpdump -i eth0")
	errWiFi      = errors.New("a capture of the air (Wi-Fi in monitor mode), which is sealed: capture on the LAN, or as a member of the Wi-Fi")
)

// open recognises a file by its first octets.
func open(r io.Reader) (source, error) {
	in := &input{r: bufio.NewReaderSize(r, 2*maxPacket)}
	magic, err := in.r.Peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) {
			if len(magic) == 0 {
				return nil, errors.New("the file is empty")
			}
			return nil, errNoCapture
		}
		return nil, err
	}
	switch little := binary.LittleEndian.Uint32(magic); {
	case little == blockSection:
		return &pcapng{in: in, order: binary.LittleEndian}, nil
	case magic[0] == 0x1f && magic[1] == 0x8b:
		return nil, errGzip
	default:
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			switch order.Uint32(magic) {
			case magicMicro:
				return newPcap(in, order, 1000)
			case magicNano:
				return newPcap(in, order, 1)
			}
		}
	}
	return nil, errNoCapture
}

// The magic numbers of pcap (draft-ietf-opsawg-pcap).
const (
	magicMicro = 0xa1b2c3d4
	magicNano  = 0xa1b23c4d
)

// pcap is the older format: one header, and packets of one kind.
type pcap struct {
	in    *input
	order binary.ByteOrder
	link  uint16
	tick  int64 // nanoseconds
}

func newPcap(in *input, order binary.ByteOrder, tick int64) (*pcap, error) {
	h, err := in.take(24)
	if err != nil {
		return nil, errNoCapture
	}
	// The upper bits of the word say how long the frame check sequences are.
	return &pcap{in: in, order: order, tick: tick, link: uint16(order.Uint32(h[20:]) & 0xffff)}, nil
}

func (f *pcap) format() string { return "pcap" }

func (f *pcap) next(p *packet) error {
	h, err := f.in.take(16)
	if err != nil {
		return err
	}
	sec, frac, n := f.order.Uint32(h), f.order.Uint32(h[4:]), f.order.Uint32(h[8:])
	if n > maxPacket {
		return fmt.Errorf("damaged at octet %d: a packet of %d octets", f.in.off-8, n)
	}
	if p.data, err = f.in.take(int(n)); err != nil {
		return within(err)
	}
	p.at = int64(sec)*int64(time.Second) + int64(frac)*f.tick
	p.link, p.iface = f.link, ""
	return nil
}
