package diag

import "fmt"

// A Stage says how far a probe had come when it failed.
type Stage string

// The stages, in order.
const (
	StageResolve   Stage = "resolve"
	StageConnect   Stage = "connect"
	StageHandshake Stage = "handshake"
	StageAsk       Stage = "ask"
	StageParse     Stage = "parse"
)

// A Problem is something that was asked for and not learnt. It is data, kept
// beside the reports.
type Problem struct {
	Source string `cbor:"source"`
	Target string `cbor:"target"` // what was asked: a URL without user info, a file's base name, an address
	Stage  Stage  `cbor:"stage"`
	Text   string `cbor:"text"`           // one line: what is wrong; may quote the peer, so writers must escape it
	Hint   string `cbor:"hint,omitempty"` // one line: what to do
	// Partial says that the map lacks something the user asked for, which
	// makes the exit status 3. Sleepy devices and foreign fabrics are no such thing.
	Partial bool `cbor:"partial,omitempty"`
}

// Error makes a Problem usable as an error: "otbr http://…: ask: timed out".
func (p Problem) Error() string {
	return fmt.Sprintf("%s %s: %s: %s", p.Source, p.Target, p.Stage, p.Text)
}
