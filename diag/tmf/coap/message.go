package coap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
)

// A Type is that of a message (RFC 7252, section 4).
type Type uint8

// The types.
const (
	Confirmable     Type = 0
	NonConfirmable  Type = 1
	Acknowledgement Type = 2
	Reset           Type = 3
)

// A Code is a method or a response code: class in the upper three bits.
type Code uint8

// The codes that Thread management uses.
const (
	Empty   Code = 0x00
	Post    Code = 0x02
	Changed Code = 0x44 // 2.04
)

// IsRequest reports whether c is a method.
func (c Code) IsRequest() bool { return c>>5 == 0 && c != Empty }

// IsResponse reports whether c is a response code.
func (c Code) IsResponse() bool { return c>>5 >= 2 && c>>5 <= 5 }

// OK reports whether c says success (2.xx).
func (c Code) OK() bool { return c>>5 == 2 }

// String is "2.04".
func (c Code) String() string { return fmt.Sprintf("%d.%02d", c>>5, c&31) }

// A Message is one CoAP message. Options other than Uri-Path are not kept:
// Thread management has none.
type Message struct {
	Type    Type
	Code    Code
	MID     uint16
	Token   []byte // at most 8 octets
	Path    string // Uri-Path without a slash in front: "d/dg"
	Payload []byte
}

const (
	// maxMessage bounds what is read, in octets: a DTLS record.
	maxMessage = 1 << 14
	// maxOptions bounds the options of a message; those of Thread have two.
	maxOptions = 16
)

// Parse reads a message. Token and payload are parts of b.
func Parse(b []byte) (Message, error) {
	if len(b) > maxMessage {
		return Message{}, fmt.Errorf("coap: message of %d octets, more than %d", len(b), maxMessage)
	}
	m := message.Message{Options: make(message.Options, 0, maxOptions)}
	if _, err := coder.DefaultCoder.Decode(b, &m); err != nil {
		return Message{}, fmt.Errorf("coap: %w", err)
	}
	out := Message{Type: Type(m.Type), Code: Code(m.Code), MID: uint16(m.MessageID), Token: m.Token, Payload: m.Payload}
	if path, err := m.Options.Path(); err == nil {
		out.Path = strings.TrimPrefix(path, "/")
	}
	if segments := countPath(m.Options); out.Path != "" && strings.Count(out.Path, "/") != segments-1 {
		// "d/dg" in one option is another resource than "d", "dg", but reads the same.
		return Message{}, errors.New("coap: a Uri-Path with a slash in a segment")
	}
	if out.Code == Empty && (len(out.Token) > 0 || len(m.Options) > 0 || len(out.Payload) > 0) {
		return Message{}, errors.New("coap: empty message with contents")
	}
	return out, nil
}

func countPath(options message.Options) int {
	n := 0
	for _, o := range options {
		if o.ID == message.URIPath {
			n++
		}
	}
	return n
}

// Append appends the message as octets. A path of more segments than Parse
// reads is refused.
func (m Message) Append(b []byte) ([]byte, error) {
	if n := strings.Count(m.Path, "/") + 1; n > maxOptions {
		return b, fmt.Errorf("coap: path %.40q of %d segments, more than %d", m.Path, n, maxOptions)
	}
	w := message.Message{Type: message.Type(m.Type), Code: codes.Code(m.Code), MessageID: int32(m.MID), Token: m.Token, Payload: m.Payload}
	if m.Path != "" {
		var err error
		if w.Options, _, err = make(message.Options, 0, maxOptions).SetPath(make([]byte, len(m.Path)), m.Path); err != nil {
			return b, fmt.Errorf("coap: path %.40q: %w", m.Path, err)
		}
	}
	n, err := coder.DefaultCoder.Size(w)
	if err != nil {
		return b, fmt.Errorf("coap: %w", err)
	}
	at := len(b)
	b = append(b, make([]byte, n)...)
	if _, err := coder.DefaultCoder.Encode(w, b[at:]); err != nil {
		return b[:at], fmt.Errorf("coap: %w", err)
	}
	return b, nil
}
