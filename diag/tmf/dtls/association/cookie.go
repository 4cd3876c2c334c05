package association

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// Cookies make a client show that it receives at the address it sends from,
// without keeping anything about it (RFC 6347, section 4.2.1). It is safe for
// concurrent use.
type Cookies struct{ key [32]byte }

// NewCookies draws a secret, which holds as long as the process.
func NewCookies() *Cookies {
	c := new(Cookies)
	rand.Read(c.key[:])
	return c
}

// Check looks at a datagram from peer (any unambiguous form of its address),
// with whom there is no association. If it is a ClientHello with the right
// cookie, accepted is true: give it to a server's Receive. If it is one without,
// reply is the HelloVerifyRequest to send back. Anything else gets no answer.
//
// A ClientHello in fragments is none: it would have to be kept for a stranger.
// OpenThread does the same.
func (c *Cookies) Check(datagram []byte, peer string) (reply []byte, accepted bool) {
	r, m, h, ok := readClientHello(datagram)
	if !ok {
		return nil, false
	}
	want := c.cookie(m.body, len(h.cookie), len(h.sessionID), peer)
	if hmac.Equal(want, h.cookie) {
		return nil, true
	}
	body := message{typeHelloVerifyRequest, m.seq, marshalHelloVerifyRequest(want)}.marshal()
	return append(appendHeader(nil, typeHandshake, 0, r.seq, len(body)), body...), false
}

// HelloRandom is the random of a datagram that begins with a ClientHello.
func HelloRandom(datagram []byte) (random [32]byte, ok bool) {
	_, _, h, ok := readClientHello(datagram)
	return h.random, ok
}

func readClientHello(datagram []byte) (r record, m message, h clientHello, ok bool) {
	r, _, ok = cutRecord(datagram)
	if !ok || r.typ != typeHandshake || r.epoch != 0 || len(r.body) > messageHeaderLen+maxMessage {
		return r, m, h, false
	}
	f, _, ok := cutFragment(r.body)
	if !ok || f.typ != typeClientHello || len(f.body) != f.length {
		return r, m, h, false
	}
	ok = h.unmarshal(f.body)
	return r, message{f.typ, f.seq, f.body}, h, ok
}

// cookie is that for a ClientHello, whose every other field it covers.
func (c *Cookies) cookie(hello []byte, cookieLen, idLen int, peer string) []byte {
	at := 2 + 32 + 1 + idLen // where the cookie's length is
	mac := hmac.New(sha256.New, c.key[:])
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(peer))))
	mac.Write([]byte(peer))
	mac.Write(hello[:at])
	mac.Write(hello[at+1+cookieLen:])
	return mac.Sum(nil)
}
