package dtls

import (
	"threadmap/diag/tmf/dtls/association"
)

// A Config bounds a session; see its fields. The zero Config is good.
type Config = association.Config

// An AlertError says that the peer ended the session, and with which alert.
type AlertError = association.AlertError

// Errors that a caller may want to tell apart, for errors.Is. Beside them, a
// Conn returns io.EOF after the peer's close_notify, net.ErrClosed after its
// own Close, and os.ErrDeadlineExceeded.
var (
	// ErrWrongKey: the border agent has another PSKc or one-time code.
	ErrWrongKey = association.ErrWrongKey
	// ErrTimeout: the peer did not answer. Errors that wrap it are a net.Error
	// whose Timeout is true.
	ErrTimeout = association.ErrTimeout
	// ErrTooLong: a Write of more than fits into one record.
	ErrTooLong = association.ErrTooLong
)
