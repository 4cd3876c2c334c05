package association

import (
	"time"

	"threadmap/diag/tmf/ecjpake"
)

// A Config bounds an association. The zero Config is good for threadmap as a
// client; no secret is in it.
type Config struct {
	// MaxRecord is the longest plaintext of a record that is accepted, in
	// octets; longer ones vanish. 0: MaxPlaintext.
	MaxRecord int
	// MaxSend is the longest application data that Send takes, in octets. Real
	// border agents have 768 to some 1400. 0: MaxPlaintext.
	MaxSend int
	// MaxDatagram is how much of a flight is put into one datagram, in octets.
	// A record is never split. 0: 1200, which fits into any IPv6 packet.
	MaxDatagram int

	// FirstWait is how long a client waits before it repeats a flight; each
	// further wait of the flight doubles, up to MaxWait. 0: 1 s and 8 s
	// (OpenThread's server waits 8 s before its own first repetition).
	FirstWait, MaxWait time.Duration
	// Repeats is how often a client repeats one flight. 0: 4, so that it gives
	// up after 23 s; OpenThread's server forgets a handshake after 15 s.
	Repeats int
	// HandshakeTime is how long a server waits for a handshake to end. 0: 15 s,
	// as OpenThread does.
	HandshakeTime time.Duration

	script *script
}

func (c Config) withDefaults() Config {
	size := func(n *int, fallback, least, most int) {
		if *n <= 0 {
			*n = fallback
		}
		*n = min(max(*n, least), most)
	}
	size(&c.MaxRecord, MaxPlaintext, 64, MaxPlaintext)
	size(&c.MaxSend, MaxPlaintext, 1, MaxPlaintext)
	size(&c.MaxDatagram, 1200, 1, 1<<16-1)
	size(&c.Repeats, 4, 0, 1000)
	span := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	span(&c.FirstWait, time.Second)
	span(&c.MaxWait, 8*time.Second)
	span(&c.HandshakeTime, 15*time.Second)
	if c.script == nil {
		c.script = new(script)
	}
	return c
}

// A script fixes what is otherwise random or this package's own choice, so that
// a recorded handshake can be computed again. Nil fields are as usual.
type script struct {
	random     *[32]byte
	sessionID  []byte
	scalars    *ecjpake.Scalars
	agreement  agreement // instead of an ecjpake.Exchange
	master     []byte    // instead of that of the agreement
	suites     []uint16
	extensions func(roundOne []byte) extensions
}

// An agreement is the key exchange of one side: an *ecjpake.Exchange. A
// recorded session tells what a foreign server said, but not its secret
// scalars; there a recording takes its place.
type agreement interface {
	RoundOne() ([]byte, error)
	ReadRoundOne([]byte) error
	RoundTwo() ([]byte, error)
	ReadRoundTwo([]byte) error
	Premaster() ([]byte, error)
	Close()
}
