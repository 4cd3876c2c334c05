package pase

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/spake2p"
)

// A Message is one to send, of the secure channel protocol (message.SecureChannel).
type Message = establish.Message

// ErrPasscode is that the two parties do not have the same passcode. (A
// message that was changed on its way looks the same.)
var ErrPasscode = errors.New("pase: wrong passcode: check the setup code of this device")

var (
	errOver      = errors.New("pase: this handshake is over: begin a new one")
	errSessionID = errors.New("pase: a session has an id from 1 to 65535")
)

// Random are the random numbers of one side. They are an input of their own so
// that a recorded handshake can be computed again; everybody else leaves them
// out, and they come from crypto/rand.
type Random struct {
	Random [32]byte       // initiatorRandom or responderRandom
	Scalar spake2p.Scalar // x or y
}

// draw is *given, or fresh numbers. The scalar of fresh ones is left to spake2p.
func draw(given *Random) (random [32]byte, scalar *spake2p.Scalar) {
	if given != nil {
		s := given.Scalar
		return given.Random, &s
	}
	rand.Read(random[:])
	return random, nil
}

// Established is what a handshake ends in.
type Established struct {
	Keys           message.Keys
	LocalSessionID uint16 // in the headers of messages to us
	PeerSessionID  uint16 // in the headers of messages to the peer
	// PeerParameters are what the peer said of itself in the handshake.
	PeerParameters message.SessionParameters
}

// contextPrefix begins what the context of SPAKE2+ is the hash of (Core 3.10.3).
const contextPrefix = "CHIP PAKE V1 Commissioning"

// transcript is SPAKE2+'s view of the two PBKDF messages, as they were sent.
func transcript(request, response []byte) spake2p.Transcript {
	h := sha256.New()
	io.WriteString(h, contextPrefix)
	h.Write(request)
	h.Write(response)
	return spake2p.Transcript{Context: h.Sum(nil)}
}

// refuse ends a handshake because of a message that was due and is no good.
func refuse(opcode uint8, err error) ([]Message, error) {
	if !errors.Is(err, ErrPasscode) { // which says all there is to say
		err = fmt.Errorf("pase: %s: %w", establish.Name(opcode), err)
	}
	return establish.Failure(message.CodeInvalidParameter), err
}

// sessionKeys are the keys of the session (Core 4.14.1.3.2).
func sessionKeys(ke [spake2p.KeyLen]byte) *message.Keys {
	material, err := hkdf.Key(sha256.New, ke[:], nil, "SessionKeys", 3*message.KeySize)
	if err != nil {
		panic(err) // HKDF-SHA256 gives up to 8160 octets
	}
	defer clear(material)
	k := message.NewKeys([3 * message.KeySize]byte(material))
	return &k
}
