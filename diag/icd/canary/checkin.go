package canary

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"time"

	"threadmap/diag/ccm"
	"threadmap/diag/hidden"
)

// A CheckIn is what a Check-In message says.
type CheckIn struct {
	Counter uint32
	// ActiveModeThreshold is how long the device stays awake after a message; 0:
	// it was not said.
	ActiveModeThreshold time.Duration
}

// A Key is the secret of a registration: the device seals its Check-In messages
// with it. It says "(secret)", however it is printed.
type Key struct {
	unseen
	p **[16]byte // two pointers: package fmt may follow one
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

// NewKey makes one.
func NewKey() Key {
	var b [16]byte
	rand.Read(b[:])
	return KeyOf(b)
}

// KeyOf is the key b.
func KeyOf(b [16]byte) Key {
	p := &b
	return Key{p: &p}
}

func (k Key) isZero() bool { return k.p == nil }

// The lengths of a Check-In message's parts (Core 4.20.1).
const (
	checkInCounter = 4
	checkInMin     = ccm.NonceSizeMatter + checkInCounter + ccm.TagSizeMatter
	checkInMax     = checkInMin + 64 // application data: the standard's are 2 octets
)

var errCheckIn = errors.New("a Check-In message that this key does not open")

// OpenCheckIn opens the payload of a Check-In message: a nonce that is made of
// the counter, then counter and application data, sealed (Core 4.20.1).
func OpenCheckIn(k Key, payload []byte) (CheckIn, error) {
	if len(payload) < checkInMin || len(payload) > checkInMax || k.isZero() {
		return CheckIn{}, errCheckIn
	}
	key := (**k.p)[:]
	block, err := aes.NewCipher(key)
	if err != nil {
		return CheckIn{}, err
	}
	aead, err := ccm.New(block, ccm.TagSizeMatter, ccm.NonceSizeMatter)
	if err != nil {
		return CheckIn{}, err
	}
	nonce := payload[:ccm.NonceSizeMatter]
	plain, err := aead.Open(nil, nonce, payload[ccm.NonceSizeMatter:], nil)
	if err != nil {
		return CheckIn{}, errCheckIn
	}
	h := hmac.New(sha256.New, key)
	h.Write(plain[:checkInCounter])
	if subtle.ConstantTimeCompare(h.Sum(nil)[:ccm.NonceSizeMatter], nonce) != 1 {
		return CheckIn{}, errCheckIn
	}
	in := CheckIn{Counter: binary.LittleEndian.Uint32(plain)}
	if data := plain[checkInCounter:]; len(data) >= 2 {
		in.ActiveModeThreshold = time.Duration(binary.LittleEndian.Uint16(data)) * time.Millisecond
	}
	return in, nil
}

// A registration is ours with the device, as the client of its Check-In
// messages.
type registration struct {
	key   Key
	start uint32 // ICDCounter when it was made
	last  int64  // highest offset that came; -1: none
}

// renewAt is the offset at which a key has been used for long enough (Core
// 4.20.2).
const renewAt = 1 << 31

// take opens a Check-In message that was not there before. renew: the key is
// used up.
func (r *registration) take(payload []byte) (in CheckIn, renew bool, err error) {
	if in, err = OpenCheckIn(r.key, payload); err != nil {
		return in, false, err
	}
	offset := int64(in.Counter - r.start)
	if offset <= r.last {
		return in, false, errReplayed
	}
	r.last = offset
	return in, offset >= renewAt, nil
}

var errReplayed = errors.New("a Check-In message that came before")
