package meshcop

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"threadmap/diag/tmf/coap"
)

// NewID is a commissioner id that nobody else has: "threadmap-" and 80 random
// bits. Who petitions under the id of a running commissioner takes its place,
// so each session needs its own.
func NewID() string { return "threadmap-" + strings.ToLower(rand.Text()[:16]) }

// A Config says how a Session behaves. The zero value is good.
type Config struct {
	// ID is the commissioner id; "": NewID(). It must be one that no session
	// had before.
	ID string
	// Retry is how long a role that another commissioner has is waited for; 0:
	// 40 s; less than 0: not at all.
	Retry time.Duration
	// Inner is the schedule of requests to mesh nodes.
	Inner coap.Config
	// Rand chooses message ids, tokens and waits; nil: seeded by the system.
	Rand *mathrand.Rand
}

// NewRand is a source of message ids and tokens, seeded by the system.
func NewRand() *mathrand.Rand {
	var seed [32]byte
	rand.Read(seed[:])
	return mathrand.New(mathrand.NewChaCha8(seed))
}
