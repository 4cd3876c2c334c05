package im

import "threadmap/tlv"

// An InvokeRequest runs commands (Core 10.7.9). Most nodes take one command at
// a time.
type InvokeRequest struct {
	SuppressResponse bool
	Timed            bool // a TimedRequest came before, on the same exchange
	Commands         []Command
}

// A Command is a command with its fields, in a request or as the answer to one
// (CommandDataIB, Core 10.6.11).
type Command struct {
	Path   CommandPath
	Fields []byte // a TLV structure under whatever tag; nil: no fields, which is sent as an empty one
	Ref    Opt[uint16]
}

// Invoke makes the InvokeRequest of one command.
func Invoke(p CommandPath, fields []byte, timed bool) ([]byte, error) {
	r := InvokeRequest{Timed: timed, Commands: []Command{{Path: p, Fields: fields}}}
	return r.Encode()
}

// Encode makes the message.
func (r *InvokeRequest) Encode() ([]byte, error) {
	return message(func(e *tlv.Encoder) {
		e.PutBool(tlv.Context(0), r.SuppressResponse)
		e.PutBool(tlv.Context(1), r.Timed)
		e.Array(tlv.Context(2))
		for i := range r.Commands {
			r.Commands[i].encode(e, tlv.Anonymous)
		}
		e.End()
	})
}

// noFields is an empty structure. Many nodes refuse a command without one.
var noFields = []byte{0x15, 0x18}

func (c *Command) encode(e *tlv.Encoder, t tlv.Tag) {
	e.Struct(t)
	c.Path.encode(e, tlv.Context(0))
	fields := c.Fields
	if fields == nil {
		fields = noFields
	}
	e.PutElement(tlv.Context(1), fields)
	putOpt(e, 2, c.Ref)
	e.End()
}

// ParseInvokeRequest reads an InvokeRequest. Fields are parts of the payload.
func ParseInvokeRequest(payload []byte) (InvokeRequest, error) {
	var r InvokeRequest
	err := decode(payload, 1<<2, func(d *tlv.Decoder, n int) {
		switch n {
		case 0:
			r.SuppressResponse = d.Bool()
		case 1:
			r.Timed = d.Bool()
		case 2:
			r.Commands = array(d, decodeCommand)
		}
	})
	return r, err
}

func decodeCommand(d *tlv.Decoder) (c Command) {
	members(d, tlv.Struct, 1<<0, func(n int) {
		switch n {
		case 0:
			c.Path = decodeCommandPath(d)
		case 1:
			if d.Kind() != tlv.Struct {
				d.Fail(errFields)
			}
			c.Fields = d.Raw()
		case 2:
			c.Ref = Some(d.Uint16())
		}
	})
	return c
}

// An InvokeResponse answers an InvokeRequest (Core 10.7.10).
type InvokeResponse struct {
	SuppressResponse bool
	More             bool // the rest follows, once this was answered with SUCCESS
	Responses        []CommandResponse
}

// A CommandResponse is the answer to one command: another command, or a
// result (InvokeResponseIB, Core 10.6.12).
type CommandResponse struct {
	Command  // where IsStatus, Path is that of the command that was asked for, and Fields is nil
	IsStatus bool
	Result   Result
}

// Encode makes the message.
func (r *InvokeResponse) Encode() ([]byte, error) {
	return message(func(e *tlv.Encoder) {
		e.PutBool(tlv.Context(0), r.SuppressResponse)
		e.Array(tlv.Context(1))
		for i := range r.Responses {
			c := &r.Responses[i]
			e.Struct(tlv.Anonymous)
			if c.IsStatus {
				e.Struct(tlv.Context(1))
				c.Path.encode(e, tlv.Context(0))
				c.Result.encode(e, tlv.Context(1))
				putOpt(e, 2, c.Ref)
				e.End()
			} else {
				c.encode(e, tlv.Context(0))
			}
			e.End()
		}
		e.End()
		if r.More {
			e.PutBool(tlv.Context(2), true)
		}
	})
}

// ParseInvokeResponse reads an InvokeResponse. Fields are parts of the payload.
func ParseInvokeResponse(payload []byte) (InvokeResponse, error) {
	var r InvokeResponse
	err := decode(payload, 1<<1, func(d *tlv.Decoder, n int) {
		switch n {
		case 0:
			r.SuppressResponse = d.Bool()
		case 1:
			r.Responses = array(d, decodeCommandResponse)
		case 2:
			r.More = d.Bool()
		}
	})
	return r, err
}

func decodeCommandResponse(d *tlv.Decoder) (c CommandResponse) {
	kinds := 0
	members(d, tlv.Struct, 0, func(n int) {
		switch n {
		case 0:
			kinds++
			c.Command = decodeCommand(d)
		case 1:
			kinds++
			c.IsStatus = true
			c.status(d)
		}
	})
	if kinds != 1 {
		d.Fail(errBoth)
	}
	return c
}

// status reads a CommandStatusIB.
func (c *CommandResponse) status(d *tlv.Decoder) {
	members(d, tlv.Struct, 1<<0|1<<1, func(n int) {
		switch n {
		case 0:
			c.Path = decodeCommandPath(d)
		case 1:
			c.Result = decodeResult(d)
		case 2:
			c.Ref = Some(d.Uint16())
		}
	})
}
