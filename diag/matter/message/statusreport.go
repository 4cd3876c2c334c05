package message

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A GeneralCode says what became of something, in any protocol (Core, appendix D.3.1).
type GeneralCode uint16

// The general codes.
const (
	Success GeneralCode = iota
	Failure
	BadPrecondition
	OutOfRange
	BadRequest
	Unsupported
	Unexpected
	ResourceExhausted
	Busy
	Timeout
	Continue
	Aborted
	InvalidArgument
	NotFound
	AlreadyExists
	PermissionDenied
	DataLoss
)

var generalNames = [...]string{
	"success", "failure", "bad precondition", "out of range", "bad request", "unsupported", "unexpected",
	"resource exhausted", "busy", "timeout", "continue", "aborted", "invalid argument", "not found",
	"already exists", "permission denied", "data loss",
}

// String is the code's name in words.
func (c GeneralCode) String() string {
	if int(c) < len(generalNames) {
		return generalNames[c]
	}
	return fmt.Sprintf("general code %d", uint16(c))
}

// Codes of a [StatusReport] of the [SecureChannel] protocol (Core 4.11.1.3).
const (
	CodeEstablished        uint16 = 0x0000 // SESSION_ESTABLISHMENT_SUCCESS
	CodeNoSharedTrustRoots uint16 = 0x0001
	CodeInvalidParameter   uint16 = 0x0002
	CodeCloseSession       uint16 = 0x0003
	CodeBusy               uint16 = 0x0004 // the data is the least wait, see StatusReport.Wait
	CodeNone               uint16 = 0xffff // nothing more to say
)

var secureChannelNames = [...]string{
	"session established", "no shared trust root", "invalid parameter", "close session", "busy",
}

// A StatusReport is the payload of opcode [Status]: how a peer says yes, no or
// not now outside the Interaction Model (Core, appendix D). As an error it is
// the peer's word.
type StatusReport struct {
	General  GeneralCode
	Protocol uint32 // vendor<<16 | protocol id
	Code     uint16 // of the protocol
	Data     []byte // of the protocol, most often none
}

const statusReportSize = 8

var errShortStatus = errors.New("message: status report: want at least 8 octets")

// ParseStatusReport reads the payload of a [Status] message. Data is a copy.
func ParseStatusReport(b []byte) (StatusReport, error) {
	if len(b) < statusReportSize {
		return StatusReport{}, fmt.Errorf("%w, got %d", errShortStatus, len(b))
	}
	if len(b) > MaxDatagram {
		return StatusReport{}, fmt.Errorf("message: status report of %d octets: more than a datagram holds", len(b))
	}
	return StatusReport{
		General:  GeneralCode(binary.LittleEndian.Uint16(b)),
		Protocol: binary.LittleEndian.Uint32(b[2:]),
		Code:     binary.LittleEndian.Uint16(b[6:]),
		Data:     append([]byte(nil), b[statusReportSize:]...),
	}, nil
}

// Append appends the payload.
func (r StatusReport) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(r.General))
	b = binary.LittleEndian.AppendUint32(b, r.Protocol)
	b = binary.LittleEndian.AppendUint16(b, r.Code)
	return append(b, r.Data...)
}

// Established reports whether r is the happy end of PASE or CASE.
func (r StatusReport) Established() bool {
	return r.General == Success && r.Protocol == uint32(SecureChannel) && r.Code == CodeEstablished
}

// ClosesSession reports whether r ends the session it came in.
func (r StatusReport) ClosesSession() bool {
	return r.Protocol == uint32(SecureChannel) && r.Code == CodeCloseSession
}

// Wait is how long a busy peer wants to be left alone. ok is false where r does
// not say busy; a busy peer that gives no time gives 0.
func (r StatusReport) Wait() (d time.Duration, ok bool) {
	if r.General != Busy && (r.Protocol != uint32(SecureChannel) || r.Code != CodeBusy) {
		return 0, false
	}
	if r.Protocol == uint32(SecureChannel) && len(r.Data) >= 2 {
		d = time.Duration(binary.LittleEndian.Uint16(r.Data)) * time.Millisecond
	}
	return d, true
}

// Error says what the peer said.
func (r StatusReport) Error() string {
	s := "the peer reports " + r.General.String()
	switch {
	case r.Protocol != uint32(SecureChannel):
		return fmt.Sprintf("%s (protocol 0x%08x, code 0x%04x)", s, r.Protocol, r.Code)
	case r.General == Success && r.Code == CodeEstablished:
		return "the peer reports session established"
	case r.Code == CodeNone || r.Code == CodeEstablished:
		return s
	case r.Code == CodeBusy:
		if d, _ := r.Wait(); d > 0 {
			return fmt.Sprintf("the peer is busy: try again in %v", d)
		}
		return "the peer is busy: try again later"
	case int(r.Code) < len(secureChannelNames):
		return "the peer reports " + secureChannelNames[r.Code]
	}
	return fmt.Sprintf("%s (secure channel code 0x%04x)", s, r.Code)
}
