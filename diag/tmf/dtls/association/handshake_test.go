package association

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"threadmap/diag/tmf/ecjpake"
)

var key = []byte{0x82, 0xbd, 0x66, 0x99, 0x5a, 0xb1, 0x50, 0xde, 0x4d, 0xab, 0x94, 0x39, 0x37, 0xb2, 0xb6, 0x6d}

func client(t testing.TB, key []byte, cfg Config) *Association {
	t.Helper()
	a, err := NewClient(key, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A host is a server with its cookies, for one peer.
type host struct {
	t       testing.TB
	key     []byte
	cfg     Config
	cookies *Cookies
	*Association
}

func newHost(t testing.TB, key []byte, cfg Config) *host {
	return &host{t: t, key: key, cfg: cfg, cookies: NewCookies()}
}

// receive gives a datagram to the host, and gives back what it sends.
func (h *host) receive(b []byte) [][]byte {
	h.t.Helper()
	if h.Association == nil {
		reply, accepted := h.cookies.Check(b, "[fd11:db8::2]:51086")
		if reply != nil {
			return [][]byte{reply}
		}
		if !accepted {
			return nil
		}
		a, err := NewServer(h.key, h.cfg)
		if err != nil {
			h.t.Fatal(err)
		}
		h.Association = a
	}
	h.Receive(b)
	return h.Datagrams()
}

// only gives the one datagram that was sent.
func only(t testing.TB, step string, sent [][]byte) []byte {
	t.Helper()
	if len(sent) != 1 {
		t.Fatalf("%s: %d datagrams", step, len(sent))
	}
	return sent[0]
}

// connect runs a handshake without accidents.
func connect(t testing.TB, clientCfg, serverCfg Config) (*Association, *host) {
	t.Helper()
	c, h := client(t, key, clientCfg), newHost(t, key, serverCfg)
	c.Start()
	for range 6 {
		for _, d := range c.Datagrams() {
			for _, d := range h.receive(d) {
				c.Receive(d)
			}
		}
	}
	if !c.Established() || !h.Established() {
		t.Fatalf("no session: %v, %v", c.Err(), h.Err())
	}
	return c, h
}

// records cuts a datagram into its records, header included.
func records(t testing.TB, d []byte) (out [][]byte) {
	t.Helper()
	for len(d) > 0 {
		_, rest, ok := cutRecord(d)
		if !ok {
			t.Fatalf("not a record: %x", d)
		}
		out = append(out, d[:len(d)-len(rest)])
		d = rest
	}
	return out
}

// Both roles, with their secrets compared at every step.
func TestHandshake(t *testing.T) {
	c, h := client(t, key, Config{}), newHost(t, key, Config{})
	transcript := func(a *Association) []byte { return a.transcript.Sum(nil) }
	equal := func(step string, x, y []byte) {
		t.Helper()
		if len(x) == 0 || !bytes.Equal(x, y) {
			t.Fatalf("%s: client %x, server %x", step, x, y)
		}
	}
	if c.Wait() != 0 || c.Datagrams() != nil {
		t.Error("a client does something before Start")
	}
	c.Start()
	c.Start()
	hello := only(t, "ClientHello", c.Datagrams())
	verify := only(t, "HelloVerifyRequest", h.receive(hello))
	if h.Association != nil {
		t.Fatal("the server made a session without a cookie")
	}
	c.Receive(verify)
	hello = only(t, "ClientHello with cookie", c.Datagrams())
	flight4 := only(t, "ServerHello to ServerHelloDone", h.receive(hello))
	equal("client's random", c.random[:], h.peerRandom[:])
	c.Receive(flight4)
	equal("server's random", c.peerRandom[:], h.random[:])
	flight5 := records(t, only(t, "ClientKeyExchange to Finished", c.Datagrams()))
	if len(flight5) != 3 {
		t.Fatalf("%d records in flight 5", len(flight5))
	}
	h.receive(flight5[0])
	if h.state != clientKeyExchangeRead || h.Established() {
		t.Fatalf("server's state %d", h.state)
	}
	equal("master secret", c.master, h.master)
	equal("client's write IV", c.seal.iv[:], h.open.iv[:])
	equal("server's write IV", c.open.iv[:], h.seal.iv[:])
	equal("client's verify_data", c.flight[2].body[messageHeaderLen:], h.verifyData(true))
	master := h.master
	if sent := h.receive(flight5[1]); sent != nil {
		t.Fatalf("ChangeCipherSpec was answered with %x", sent)
	}
	flight6 := only(t, "ChangeCipherSpec, Finished", h.receive(flight5[2]))
	if !h.Established() || c.Established() {
		t.Fatal("the server is not established, or the client is")
	}
	c.Receive(flight6)
	if !c.Established() {
		t.Fatal(c.Err())
	}
	equal("transcript", transcript(c), transcript(h.Association))
	if !bytes.Equal(master, make([]byte, masterLen)) || c.master != nil || h.master != nil {
		t.Error("the master secret is still there")
	}
	if _, err := c.agreement.Premaster(); err == nil {
		t.Error("the key exchange is still open")
	}

	// Data, both ways, and the end.
	talk(t, c, h.Association, "from the client")
	talk(t, h.Association, c, "from the server")
	h.Close()
	c.Receive(only(t, "close_notify", h.Datagrams()))
	answer := only(t, "the client's close_notify", c.Datagrams())
	if !errors.Is(c.Err(), ErrPeerClosed) || !errors.Is(h.Err(), ErrClosed) {
		t.Errorf("%v, %v", c.Err(), h.Err())
	}
	if sent := h.receive(answer); sent != nil {
		t.Errorf("close_notify was answered after Close: %x", sent)
	}
	if err := c.Send([]byte("x")); !errors.Is(err, ErrPeerClosed) {
		t.Errorf("Send after the end: %v", err)
	}
}

func talk(t testing.TB, from, to *Association, text string) {
	t.Helper()
	if err := from.Send([]byte(text)); err != nil {
		t.Fatal(err)
	}
	to.Receive(only(t, text, from.Datagrams()))
	if got := to.Messages(); len(got) != 1 || string(got[0]) != text {
		t.Fatalf("%q arrived as %q", text, got)
	}
}

func TestWrongKey(t *testing.T) {
	c, h := client(t, []byte("475689122"), Config{}), newHost(t, []byte("475689131"), Config{})
	c.Start()
	var flight5 []byte
	for range 4 {
		for _, d := range c.Datagrams() {
			flight5 = d
			for _, d := range h.receive(d) {
				c.Receive(d)
			}
		}
	}
	var alert *AlertError
	if err := c.Err(); !errors.Is(err, ErrWrongKey) || !errors.As(err, &alert) || alert.Alert != BadRecordMAC {
		t.Errorf("client: %v", err)
	}
	if err := h.Err(); !errors.Is(err, ErrWrongKey) {
		t.Errorf("server: %v", err)
	}
	// A client that did not hear the alert asks again, and hears it.
	again := records(t, only(t, "the alert again", h.receive(flight5)))
	if want := (clearRecord{typeAlert, 0, []byte{levelFatal, byte(BadRecordMAC)}}); len(again) != 1 || !bytes.Equal(again[0][headerLen:], want.body) || again[0][0] != byte(typeAlert) {
		t.Errorf("%x", again)
	}
	if sent := h.receive(again[0]); sent != nil {
		t.Errorf("an alert was answered: %x", sent)
	}
	for range 2 * maxAnswers {
		h.receive(flight5)
	}
	if sent := h.receive(flight5); sent != nil {
		t.Error("the alert is repeated without end")
	}
}

// Whatever of these alerts comes after the client's Finished, in the clear, is
// about the key; before it, it is not.
func TestAlerts(t *testing.T) {
	for _, c := range []struct {
		level    byte
		alert    Alert
		wrongKey bool
		ends     bool
	}{
		{levelFatal, BadRecordMAC, true, true},
		{levelFatal, HandshakeFailure, true, true},
		{levelFatal, DecryptError, true, true},
		{levelFatal, InternalError, false, true},
		{levelFatal, 255, false, true},
		{levelWarning, UserCanceled, false, false},
		{levelWarning, CloseNotify, false, true},
	} {
		r := readRecording(t, "pskc")
		record := append(appendHeader(nil, typeAlert, 0, 9, 2), c.level, byte(c.alert))
		for _, afterFinished := range []bool{false, true} {
			a := client(t, key, Config{script: r.script(t, ecjpake.Client)})
			a.Start()
			a.Receive(r.flow[1].datagram)
			if afterFinished {
				a.Receive(r.flow[3].datagram)
			}
			a.Datagrams()
			a.Receive(record)
			if (a.Err() != nil) != c.ends || errors.Is(a.Err(), ErrWrongKey) != (c.wrongKey && afterFinished) {
				t.Errorf("%v, after Finished %v: %v", c.alert, afterFinished, a.Err())
			}
		}
	}
}

// Once a session is established, nothing in the clear can end it.
func TestClearRecordsAfterHandshake(t *testing.T) {
	c, h := connect(t, Config{}, Config{})
	for _, a := range []*Association{c, h.Association} {
		for _, r := range []clearRecord{
			{typeAlert, 0, []byte{levelFatal, byte(HandshakeFailure)}},
			{typeAlert, 0, []byte{levelWarning, byte(CloseNotify)}},
			{typeApplicationData, 0, []byte("hello")},
			{typeHandshake, 0, message{typeFinished, 3, make([]byte, verifyDataLen)}.marshal()},
			{typeHandshake, 0, message{typeClientKeyExchange, 2, make([]byte, 165)}.marshal()},
			{typeHandshake, 0, message{typeHelloRequest, 0, nil}.marshal()},
			{typeChangeCipherSpec, 0, []byte{1}},
		} {
			a.Receive(append(appendHeader(nil, r.typ, 0, 1<<40, len(r.body)), r.body...))
			if !a.Established() || a.Datagrams() != nil || a.Messages() != nil {
				t.Errorf("record %d %x: %v", r.typ, r.body, a.Err())
			}
		}
	}
	talk(t, c, h.Association, "still here")
}

func TestTimeouts(t *testing.T) {
	c := client(t, key, Config{})
	c.Timeout()
	c.Start()
	first := only(t, "ClientHello", c.Datagrams())
	var waits []time.Duration
	for c.Err() == nil && len(waits) < 100 {
		waits = append(waits, c.Wait())
		n := c.Sent()
		c.Timeout()
		if c.Err() != nil {
			break
		}
		if c.Sent() != n+1 {
			t.Error("Sent does not count")
		}
		again := only(t, "ClientHello again", c.Datagrams())
		if bytes.Equal(again, first) || !bytes.Equal(again[headerLen:], first[headerLen:]) {
			t.Error("a repetition is the same message under another sequence number")
		}
	}
	if want := "[1s 2s 4s 8s 8s]"; fmt.Sprint(waits) != want {
		t.Errorf("waits %v, want %v", waits, want)
	}
	if err := c.Err(); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "sent 5 times") {
		t.Errorf("%v", err)
	}
	if c.Wait() != 0 || c.Datagrams() != nil {
		t.Error("something is waited for after the end")
	}

	// A new flight starts with a short wait again; at the Finished, the error
	// says what silence may mean there.
	r := readRecording(t, "pskc")
	c = client(t, key, Config{script: r.script(t, ecjpake.Client), FirstWait: 3 * time.Second, MaxWait: time.Second, Repeats: 1})
	c.Start()
	c.Timeout()
	c.Receive(r.flow[1].datagram)
	c.Receive(r.flow[3].datagram)
	if c.Wait() != 3*time.Second {
		t.Errorf("wait %v", c.Wait())
	}
	c.Timeout()
	c.Timeout()
	if err := c.Err(); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "key") {
		t.Errorf("%v", err)
	}

	// A server never repeats by itself.
	h := newHost(t, key, Config{})
	c = client(t, key, Config{})
	c.Start()
	c.Receive(only(t, "HelloVerifyRequest", h.receive(only(t, "", c.Datagrams()))))
	h.receive(only(t, "", c.Datagrams()))
	if h.Wait() != 15*time.Second {
		t.Errorf("server waits %v", h.Wait())
	}
	h.Timeout()
	if !errors.Is(h.Err(), ErrTimeout) || h.Datagrams() != nil {
		t.Errorf("server: %v", h.Err())
	}
}

// A weather decides what becomes of datagrams, the same for the same seed.
type weather struct {
	*rand.Rand
	loss, double, late float64
	fragments          bool
}

// fate is which datagrams arrive for one that was sent.
func (w weather) fate(t testing.TB, d []byte) (now, later [][]byte) {
	if w.fragments {
		d = w.refragment(t, d)
	}
	for range 1 + w.chance(w.double) {
		switch {
		case w.chance(w.loss) == 1:
		case w.chance(w.late) == 1:
			later = append(later, d)
		default:
			now = append(now, d)
		}
	}
	return now, later
}

func (w weather) chance(p float64) int {
	if w.Float64() < p {
		return 1
	}
	return 0
}

// refragment splits the handshake messages of a datagram, but for the
// ClientHello, as a sender with a small MTU might, and shuffles the pieces.
func (w weather) refragment(t testing.TB, d []byte) (out []byte) {
	t.Helper()
	var pieces [][]byte
	for _, b := range records(t, d) {
		r, _, _ := cutRecord(b)
		f, _, ok := cutFragment(r.body)
		if r.typ != typeHandshake || r.epoch != 0 || !ok || f.typ == typeClientHello || f.length == 0 {
			pieces = append(pieces, b)
			continue
		}
		for at := 0; at < f.length; {
			n := min(1+w.IntN(100), f.length-at)
			from := max(0, at-w.IntN(10)) // they may overlap
			m := append([]byte(nil), r.body[:messageHeaderLen]...)
			copy(m[6:], appendUint24(nil, from))
			copy(m[9:], appendUint24(nil, at+n-from))
			m = append(m, f.body[from:at+n]...)
			pieces = append(pieces, append(appendHeader(nil, r.typ, 0, r.seq, len(m)), m...))
			at += n
		}
	}
	w.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	return bytes.Join(pieces, nil)
}

// Both roles under loss, doubling, overtaking and fragmentation: every
// handshake is completed as long as somebody asks again.
func TestBadWeather(t *testing.T) {
	for _, percent := range []int{0, 10, 30, 50} {
		for _, fragments := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %% fragments=%v", percent, fragments), func(t *testing.T) {
				total, worst := 0, 0
				const runs = 25
				for seed := range uint64(runs) {
					p := float64(percent) / 100
					w := weather{rand.New(rand.NewPCG(seed, uint64(percent))), p, p, p, fragments}
					n := storm(t, w, key, key)
					total, worst = total+n, max(worst, n)
				}
				t.Logf("flights sent: %.1f on average, at most %d", float64(total)/runs, worst)
			})
		}
	}
}

// storm runs one handshake and a few messages, and counts the flights sent.
func storm(t *testing.T, w weather, clientKey, serverKey []byte) int {
	t.Helper()
	c, h := client(t, clientKey, Config{Repeats: 1000}), newHost(t, serverKey, Config{})
	var toServer, toClient, lateToServer, lateToClient [][]byte
	put := func(sent [][]byte, now, later *[][]byte) {
		for _, d := range sent {
			a, b := w.fate(t, d)
			*now, *later = append(*now, a...), append(*later, b...)
		}
	}
	settle := func() {
		for range 1000 {
			if len(toServer)+len(toClient) == 0 {
				if len(lateToServer)+len(lateToClient) == 0 {
					return
				}
				toServer, toClient, lateToServer, lateToClient = lateToServer, lateToClient, nil, nil
			}
			batch := toServer
			toServer = nil
			for _, d := range batch {
				put(h.receive(d), &toClient, &lateToClient)
			}
			batch = toClient
			toClient = nil
			for _, d := range batch {
				c.Receive(d)
				put(c.Datagrams(), &toServer, &lateToServer)
			}
		}
		t.Fatal("the two sides never come to rest")
	}
	c.Start()
	put(c.Datagrams(), &toServer, &lateToServer)
	settle()
	for range 500 {
		if c.Wait() == 0 {
			break
		}
		c.Timeout()
		put(c.Datagrams(), &toServer, &lateToServer)
		settle()
	}
	if !bytes.Equal(clientKey, serverKey) {
		if !errors.Is(c.Err(), ErrWrongKey) {
			t.Fatalf("with a wrong key: %v", c.Err())
		}
		return c.Sent()
	}
	if !c.Established() || !h.Established() {
		t.Fatalf("no session: %v, %v", c.Err(), h.Err())
	}
	// What arrives of the data is right and comes once.
	seen := map[string]bool{}
	for i := range 20 {
		m := fmt.Sprintf("message %d", i)
		if err := c.Send([]byte(m)); err != nil {
			t.Fatal(err)
		}
		put(c.Datagrams(), &toServer, &lateToServer)
		settle()
		for _, got := range h.Messages() {
			if seen[string(got)] || !strings.HasPrefix(string(got), "message ") {
				t.Fatalf("%q arrived, again or falsified", got)
			}
			seen[string(got)] = true
		}
	}
	if w.loss == 0 && len(seen) != 20 {
		t.Fatalf("%d messages of 20", len(seen))
	}
	return c.Sent()
}

func TestWrongKeyInBadWeather(t *testing.T) {
	for seed := range uint64(25) {
		storm(t, weather{rand.New(rand.NewPCG(seed, 7)), 0.3, 0.3, 0.3, false}, []byte("475689122"), []byte("475689131"))
	}
}

// A client answers a server that asks for another cookie, but not for ever.
func TestCookieAgain(t *testing.T) {
	c := client(t, key, Config{})
	c.Start()
	c.Datagrams()
	for seq := range uint16(maxVerifyRequests + 1) {
		m := message{typeHelloVerifyRequest, seq, marshalHelloVerifyRequest([]byte{byte(seq)})}.marshal()
		c.Receive(append(appendHeader(nil, typeHandshake, 0, uint64(seq), len(m)), m...))
		if seq < maxVerifyRequests {
			hello := only(t, "ClientHello", c.Datagrams())
			_, m, h, ok := readClientHello(hello)
			if !ok || !bytes.Equal(h.cookie, []byte{byte(seq)}) || m.seq != seq+1 {
				t.Fatalf("%+v", h)
			}
			want := sha256.Sum256(m.marshal())
			if !bytes.Equal(c.transcript.Sum(nil), want[:]) {
				t.Fatal("the transcript is not the last ClientHello alone")
			}
		}
	}
	if c.Err() == nil {
		t.Error("a cookie for ever")
	}
}

// Close at any time ends an association, and says so where somebody listens.
func TestCloseDuringHandshake(t *testing.T) {
	r := readRecording(t, "pskc")
	for n := range 4 {
		c := client(t, key, Config{script: r.script(t, ecjpake.Client)})
		if n > 0 {
			c.Start()
		}
		if n > 1 {
			c.Receive(r.flow[1].datagram)
		}
		if n > 2 {
			c.Receive(r.flow[3].datagram)
		}
		c.Datagrams()
		c.Close()
		if sent := c.Datagrams(); len(sent) != min(n, 1) {
			t.Errorf("after %d steps: %x", n, sent)
		}
		c.Close()
		c.Timeout()
		c.Start()
		c.Receive(r.flow[1].datagram)
		if !errors.Is(c.Err(), ErrClosed) || c.Established() {
			t.Errorf("after %d steps: %v", n, c.Err())
		}
	}
}

func BenchmarkHandshake(b *testing.B) {
	for b.Loop() {
		connect(b, Config{}, Config{})
	}
}
