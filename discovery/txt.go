package discovery

import (
	"bytes"
	"strconv"
	"time"
)

// A TXT is the strings of a TXT record, raw.
type TXT [][]byte

// An Opt is a value that may not have been said. It is not diag.Opt because
// package diag may one day read services.
type Opt[T any] struct {
	Value T
	Known bool
}

func some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// A Pair is one string of a TXT record. Value is nil where there was no "=".
type Pair struct {
	Key   string
	Value []byte
}

// Pairs are the key/value pairs in the order of the record (RFC 6763, section
// 6.4): strings without a key are passed over, and so is all but the first of
// a key, compared without case.
func (t TXT) Pairs() []Pair {
	var out []Pair
	seen := map[string]bool{}
	for _, s := range t {
		key, value, eq := bytes.Cut(s, []byte("="))
		folded := string(bytes.ToLower(key))
		if len(key) == 0 || seen[folded] {
			continue
		}
		seen[folded] = true
		p := Pair{Key: string(key)}
		if eq {
			p.Value = append([]byte{}, value...)
		}
		out = append(out, p)
	}
	return out
}

// Get is the value of a key, compared without case. ok is false where the key
// is missing; the value is nil where it has none.
func (t TXT) Get(key string) (value []byte, ok bool) {
	for _, s := range t {
		k, v, eq := bytes.Cut(s, []byte("="))
		if len(k) > 0 && bytes.EqualFold(k, []byte(key)) {
			if !eq {
				return nil, true
			}
			return v, true
		}
	}
	return nil, false
}

// Equal reports whether both are octet for octet the same.
func (t TXT) Equal(o TXT) bool {
	if len(t) != len(o) {
		return false
	}
	for i := range t {
		if !bytes.Equal(t[i], o[i]) {
			return false
		}
	}
	return true
}

func (t TXT) text(key string) string {
	v, _ := t.Get(key)
	return string(v)
}

// number reads a decimal number of at most most; anything else was not said.
func (t TXT) number(key string, most uint64) Opt[uint64] {
	v, ok := t.Get(key)
	if !ok || len(v) == 0 || len(v) > 20 || v[0] == '+' || v[0] == '-' {
		return Opt[uint64]{}
	}
	n, err := strconv.ParseUint(string(v), 10, 64)
	if err != nil || n > most {
		return Opt[uint64]{}
	}
	return some(n)
}

func (t TXT) number8(key string, most uint64) (o Opt[uint8]) {
	if n := t.number(key, most); n.Known {
		o = some(uint8(n.Value))
	}
	return o
}

func (t TXT) number32(key string, most uint64) (o Opt[uint32]) {
	if n := t.number(key, most); n.Known {
		o = some(uint32(n.Value))
	}
	return o
}

// millis reads a time of least to most milliseconds.
func (t TXT) millis(key string, least, most uint64) (o Opt[time.Duration]) {
	if n := t.number(key, most); n.Known && n.Value >= least {
		o = some(time.Duration(n.Value) * time.Millisecond)
	}
	return o
}

// bigEndian reads a value of exactly size octets (at most 8).
func (t TXT) bigEndian(key string, size int, odd *[]string) (v uint64, ok bool) {
	b, ok := t.Get(key)
	if !ok {
		return 0, false
	}
	if len(b) != size {
		*odd = append(*odd, key)
		return 0, false
	}
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, true
}
