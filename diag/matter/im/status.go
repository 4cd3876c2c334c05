package im

import (
	"fmt"

	"threadmap/tlv"
)

// A Status is a status code of the Interaction Model (Core 8.10).
type Status uint8

// The status codes.
const (
	Success                Status = 0x00
	Failure                Status = 0x01
	InvalidSubscription    Status = 0x7D
	UnsupportedAccess      Status = 0x7E
	UnsupportedEndpoint    Status = 0x7F
	InvalidAction          Status = 0x80
	UnsupportedCommand     Status = 0x81
	InvalidCommand         Status = 0x85
	UnsupportedAttribute   Status = 0x86
	ConstraintError        Status = 0x87
	UnsupportedWrite       Status = 0x88
	ResourceExhausted      Status = 0x89
	NotFound               Status = 0x8B
	UnreportableAttribute  Status = 0x8C
	InvalidDataType        Status = 0x8D
	UnsupportedRead        Status = 0x8F
	DataVersionMismatch    Status = 0x92
	Timeout                Status = 0x94
	Busy                   Status = 0x9C
	AccessRestricted       Status = 0x9D
	UnsupportedCluster     Status = 0xC3
	NoUpstreamSubscription Status = 0xC5
	NeedsTimedInteraction  Status = 0xC6
	UnsupportedEvent       Status = 0xC7
	PathsExhausted         Status = 0xC8
	TimedRequestMismatch   Status = 0xC9
	FailsafeRequired       Status = 0xCA
	InvalidInState         Status = 0xCB
	NoCommandResponse      Status = 0xCC
	DynamicConstraintError Status = 0xCF
	AlreadyExists          Status = 0xD0
	InvalidTransportType   Status = 0xD1
)

var statusNames = map[Status]string{
	Success: "SUCCESS", Failure: "FAILURE", InvalidSubscription: "INVALID_SUBSCRIPTION",
	UnsupportedAccess: "UNSUPPORTED_ACCESS", UnsupportedEndpoint: "UNSUPPORTED_ENDPOINT",
	InvalidAction: "INVALID_ACTION", UnsupportedCommand: "UNSUPPORTED_COMMAND", InvalidCommand: "INVALID_COMMAND",
	UnsupportedAttribute: "UNSUPPORTED_ATTRIBUTE", ConstraintError: "CONSTRAINT_ERROR",
	UnsupportedWrite: "UNSUPPORTED_WRITE", ResourceExhausted: "RESOURCE_EXHAUSTED", NotFound: "NOT_FOUND",
	UnreportableAttribute: "UNREPORTABLE_ATTRIBUTE", InvalidDataType: "INVALID_DATA_TYPE",
	UnsupportedRead: "UNSUPPORTED_READ", DataVersionMismatch: "DATA_VERSION_MISMATCH", Timeout: "TIMEOUT",
	Busy: "BUSY", AccessRestricted: "ACCESS_RESTRICTED", UnsupportedCluster: "UNSUPPORTED_CLUSTER",
	NoUpstreamSubscription: "NO_UPSTREAM_SUBSCRIPTION", NeedsTimedInteraction: "NEEDS_TIMED_INTERACTION",
	UnsupportedEvent: "UNSUPPORTED_EVENT", PathsExhausted: "PATHS_EXHAUSTED",
	TimedRequestMismatch: "TIMED_REQUEST_MISMATCH", FailsafeRequired: "FAILSAFE_REQUIRED",
	InvalidInState: "INVALID_IN_STATE", NoCommandResponse: "NO_COMMAND_RESPONSE",
	DynamicConstraintError: "DYNAMIC_CONSTRAINT_ERROR", AlreadyExists: "ALREADY_EXISTS",
	InvalidTransportType: "INVALID_TRANSPORT_TYPE",
}

// String is the name in the specification, "status 0x96" for one it has none for.
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return fmt.Sprintf("status 0x%02x", uint8(s))
}

// A Result is what became of one path (StatusIB, Core 10.6.17). Failure may
// come with a status of the cluster's own.
type Result struct {
	Status  Status
	Cluster Opt[uint8]
}

// Err is the result as an error, nil for success.
func (r Result) Err() error {
	if r.Status == Success {
		return nil
	}
	return &StatusError{r}
}

// A StatusError is a Result other than success, as the peer gave it.
type StatusError struct{ Result Result }

// Error is the error in one line.
func (e *StatusError) Error() string {
	if c, ok := e.Result.Cluster.Get(); ok {
		return fmt.Sprintf("the device answered %s, cluster status 0x%02x", e.Result.Status, c)
	}
	return "the device answered " + e.Result.Status.String()
}

func (r Result) encode(e *tlv.Encoder, t tlv.Tag) {
	e.Struct(t)
	e.PutUint(tlv.Context(0), uint64(r.Status))
	if c, ok := r.Cluster.Get(); ok {
		e.PutUint(tlv.Context(1), uint64(c))
	}
	e.End()
}

func decodeResult(d *tlv.Decoder) (r Result) {
	members(d, tlv.Struct, 1<<0, func(n int) {
		switch n {
		case 0:
			r.Status = Status(d.Uint8())
		case 1:
			r.Cluster = Some(d.Uint8())
		}
	})
	return r
}

// EncodeStatusResponse makes a StatusResponse (Core 10.7.1).
func EncodeStatusResponse(s Status) []byte {
	b, err := message(func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), uint64(s)) })
	if err != nil {
		panic(err) // one number in one structure can't be misused
	}
	return b
}

// ParseStatusResponse reads a StatusResponse.
func ParseStatusResponse(payload []byte) (Status, error) {
	s := Failure
	err := decode(payload, 1<<0, func(d *tlv.Decoder, n int) {
		if n == 0 {
			s = Status(d.Uint8())
		}
	})
	return s, err
}

// EncodeTimedRequest makes a TimedRequest: the invoke or write that follows on
// the same exchange must come within so many milliseconds (Core 10.7.11).
func EncodeTimedRequest(milliseconds uint16) []byte {
	b, err := message(func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), uint64(milliseconds)) })
	if err != nil {
		panic(err) // see EncodeStatusResponse
	}
	return b
}

// ParseTimedRequest reads a TimedRequest.
func ParseTimedRequest(payload []byte) (milliseconds uint16, err error) {
	err = decode(payload, 1<<0, func(d *tlv.Decoder, n int) {
		if n == 0 {
			milliseconds = d.Uint16()
		}
	})
	return milliseconds, err
}
