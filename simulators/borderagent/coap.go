package borderagent

import (
	"encoding/binary"
	"errors"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
)

// A packet is one CoAP message (RFC 7252) as far as Thread uses it: it has no
// options but Uri-Path.
type packet struct {
	kind    message.Type
	code    codes.Code
	mid     uint16
	token   []byte
	path    string // without a slash at the start
	payload []byte
}

// maxOptions is more than any path of Thread has segments.
const maxOptions = 16

var errCoAP = errors.New("no CoAP message")

func parsePacket(b []byte) (packet, error) {
	m := message.Message{Options: make(message.Options, 0, maxOptions)}
	if _, err := coder.DefaultCoder.Decode(b, &m); err != nil {
		return packet{}, err
	}
	if m.MessageID < 0 || m.MessageID > 0xffff {
		return packet{}, errCoAP
	}
	p := packet{kind: m.Type, code: m.Code, mid: uint16(m.MessageID), token: m.Token, payload: m.Payload}
	if path, err := m.Options.Path(); err == nil {
		if len(path) > 0 && path[0] == '/' {
			path = path[1:]
		}
		p.path = path
	}
	return p, nil
}

// bytes is the message on the wire.
func (p packet) bytes() []byte {
	m := message.Message{Type: p.kind, Code: p.code, MessageID: int32(p.mid), Token: p.token, Payload: p.payload}
	if p.path != "" {
		// Paths are this package's own, short ones.
		options, _, err := make(message.Options, 0, maxOptions).SetPath(make([]byte, 64), p.path)
		if err != nil {
			panic(err)
		}
		m.Options = options
	}
	b := make([]byte, 4+len(p.token)+len(p.path)+maxOptions+len(p.payload))
	n, err := coder.DefaultCoder.Encode(m, b)
	if err != nil {
		panic(err)
	}
	return b[:n:n]
}

func (p packet) isRequest() bool { return p.code > codes.Empty && p.code < 0x20 }

// An exchange identifies a request, at the one who got it.
type exchangeID struct {
	from uint16 // the commissioner's anycast locator; 0: not on the mesh
	port uint16
	mid  uint16
}

func be16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
