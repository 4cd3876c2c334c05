package association

import (
	"errors"
	"fmt"
)

// An Alert is an alert description (RFC 5246, section 7.2).
type Alert uint8

// The alerts that are sent, or looked for.
const (
	CloseNotify          Alert = 0
	UnexpectedMessage    Alert = 10
	BadRecordMAC         Alert = 20
	HandshakeFailure     Alert = 40
	IllegalParameter     Alert = 47
	DecodeError          Alert = 50
	DecryptError         Alert = 51
	ProtocolVersion      Alert = 70
	InternalError        Alert = 80
	UserCanceled         Alert = 90
	UnsupportedExtension Alert = 110
)

const (
	levelWarning = 1
	levelFatal   = 2
)

var alertNames = map[Alert]string{
	CloseNotify: "close_notify", UnexpectedMessage: "unexpected_message", BadRecordMAC: "bad_record_mac",
	HandshakeFailure: "handshake_failure", IllegalParameter: "illegal_parameter", DecodeError: "decode_error",
	DecryptError: "decrypt_error", ProtocolVersion: "protocol_version", InternalError: "internal_error",
	UserCanceled: "user_canceled", UnsupportedExtension: "unsupported_extension",
	22: "record_overflow", 49: "access_denied", 71: "insufficient_security", 100: "no_renegotiation",
}

// String is the standard's name of the alert and its number.
func (a Alert) String() string {
	if name, ok := alertNames[a]; ok {
		return fmt.Sprintf("%s (%d)", name, uint8(a))
	}
	return fmt.Sprintf("alert %d", uint8(a))
}

// An AlertError says that the peer ended the session.
type AlertError struct{ Alert Alert }

func (e *AlertError) Error() string { return "the peer answered with " + e.Alert.String() }

// Errors that a caller may want to tell apart.
var (
	// ErrWrongKey: the two sides have different passwords.
	ErrWrongKey = errors.New("wrong key: it is not the one the border agent has")
	// ErrTimeout: the peer did not answer, however often it was asked.
	ErrTimeout = errors.New("no answer")
	// ErrTooLong: application data that does not fit into one record.
	ErrTooLong = errors.New("message too long")
	// ErrClosed: this side closed the association.
	ErrClosed = errors.New("closed")
	// ErrAbandoned: the peer has begun a new association in place of this one.
	ErrAbandoned = errors.New("the peer has begun a new session")
	// ErrPeerClosed: the peer closed the association in good order.
	ErrPeerClosed = errors.New("closed by the peer")
)

// A fault is an error in what the peer said, with the alert it deserves.
type fault struct {
	alert Alert
	err   error
}

func faultf(alert Alert, format string, args ...any) *fault {
	return &fault{alert, fmt.Errorf(format, args...)}
}
