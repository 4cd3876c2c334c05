package message

import "fmt"

// A Drop is why a datagram or a message was not taken. Nothing goes back to the
// sender, as the standard wants it (Core 4.7.2), so counting is all the trace
// that is left.
type Drop uint8

// The reasons.
const (
	Truncated      Drop = iota + 1 // shorter than its own fields say
	Oversized                      // longer than MaxDatagram
	UnknownVersion                 // of the message format
	BadNodeIDs                     // reserved, contradicting or, in session 0, missing ids
	NotUnicast                     // a group message or a session type of the future
	Private                        // privacy in a unicast message
	Control                        // control messages are of groups
	UnknownSession                 // the sender has one that we have not, or not any more
	NotAuthentic                   // the tag is not the one of the session's key
	Duplicate                      // came before, or is too old to tell
	Unsolicited                    // of no exchange and opening none, or opening one that is not wanted
	Full                           // no room now: the sender will repeat
	Foreign                        // a vendor's protocol, or a control opcode that is not for us
	dropReasons
)

// DropReasons is the number of reasons, plus one: a Drop indexes an array of
// this length.
const DropReasons = int(dropReasons)

var dropNames = [DropReasons]string{
	"taken", "truncated", "oversized", "unknown version", "bad node ids", "not unicast", "private", "control message",
	"unknown session", "not authentic", "duplicate", "unsolicited", "no room", "foreign protocol",
}

// String is the reason in words.
func (d Drop) String() string {
	if int(d) < len(dropNames) {
		return dropNames[d]
	}
	return fmt.Sprintf("reason %d", uint8(d))
}

// Error says that a message was dropped, and why.
func (d Drop) Error() string { return "message dropped: " + d.String() }
