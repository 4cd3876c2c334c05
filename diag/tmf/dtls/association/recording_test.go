package association

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"threadmap/diag/tmf/ecjpake"
)

// A recording is a captured session: see the files in testdata.
type recording struct {
	numbers map[string][]byte
	flow    []recorded
}

type recorded struct {
	fromClient bool
	datagram   []byte
	plaintext  []byte // of application data
}

func readRecording(t testing.TB, name string) recording {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	r := recording{numbers: map[string][]byte{}}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		b, err := hex.DecodeString(value)
		if err != nil {
			t.Fatalf("%s: %q: %v", name, line, err)
		}
		switch key {
		case ">", "<":
			r.flow = append(r.flow, recorded{fromClient: key == ">", datagram: b})
		case "=":
			r.flow[len(r.flow)-1].plaintext = b
		default:
			r.numbers[key] = b
		}
	}
	if len(r.flow) < 6 {
		t.Fatalf("%s: %d datagrams", name, len(r.flow))
	}
	return r
}

// message finds a handshake message of the recording, in the clear. For the
// ClientHello it is the second one, with the cookie.
func (r recording) message(t testing.TB, typ messageType) (m message) {
	t.Helper()
	for _, d := range r.flow {
		for b := d.datagram; ; {
			rec, rest, ok := cutRecord(b)
			if !ok {
				break
			}
			b = rest
			if f, _, ok := cutFragment(rec.body); ok && rec.typ == typeHandshake && rec.epoch == 0 && f.typ == typ {
				m = message{f.typ, f.seq, f.body}
			}
		}
	}
	if m.body == nil {
		t.Fatalf("the recording has no %v", typ)
	}
	return m
}

// recordedAgreement is the key exchange of a side whose secret scalars are not
// known: it says what that side said, and insists on what it was told.
type recordedAgreement struct {
	one, two         []byte
	peerOne, peerTwo []byte
	premaster        []byte
}

func (r *recordedAgreement) RoundOne() ([]byte, error)   { return r.one, nil }
func (r *recordedAgreement) RoundTwo() ([]byte, error)   { return r.two, nil }
func (r *recordedAgreement) Premaster() ([]byte, error)  { return r.premaster, nil }
func (r *recordedAgreement) Close()                      {}
func (r *recordedAgreement) ReadRoundOne(b []byte) error { return r.same("round one", b, r.peerOne) }
func (r *recordedAgreement) ReadRoundTwo(b []byte) error { return r.same("round two", b, r.peerTwo) }

func (r *recordedAgreement) same(step string, got, want []byte) error {
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s of the peer: %x, want %x", step, got, want)
	}
	return nil
}

// script makes an association of the role behave as the recorded one.
func (r recording) script(t testing.TB, role ecjpake.Role) *script {
	t.Helper()
	var ch clientHello
	var sh serverHello
	if !ch.unmarshal(r.message(t, typeClientHello).body) || !sh.unmarshal(r.message(t, typeServerHello).body) {
		t.Fatal("a hello can't be read")
	}
	client, _ := ch.extensions.get(extKeyKPPair)
	server, _ := sh.extensions.get(extKeyKPPair)
	ske, cke := r.message(t, typeServerKeyExchange).body, r.message(t, typeClientKeyExchange).body
	if role == ecjpake.Server {
		return &script{
			random: &sh.random, sessionID: sh.sessionID, master: bytes.Clone(r.numbers["master_secret"]),
			agreement: &recordedAgreement{one: server, two: ske, peerOne: client, peerTwo: cke},
		}
	}
	s := &script{
		random: &ch.random, suites: ch.suites,
		extensions: func(roundOne []byte) (e extensions) {
			for _, x := range ch.extensions {
				if x.typ == extKeyKPPair {
					x.body = roundOne
				}
				e = append(e, x)
			}
			return e
		},
	}
	if x1 := r.numbers["x1"]; x1 != nil {
		n := r.numbers
		s.scalars = &ecjpake.Scalars{
			X1: ecjpake.Scalar(x1), X2: ecjpake.Scalar(n["x2"]),
			V1: ecjpake.Scalar(n["v1"]), V2: ecjpake.Scalar(n["v2"]), V3: ecjpake.Scalar(n["v3"]),
		}
	}
	if r.numbers["password"] == nil {
		s.master = bytes.Clone(r.numbers["master_secret"])
		if s.scalars == nil {
			s.agreement = &recordedAgreement{one: client, two: cke, peerOne: server, peerTwo: ske}
		}
	}
	return s
}

// one checks that an association sends exactly one datagram, and which.
func one(t *testing.T, step string, a *Association, want []byte) {
	t.Helper()
	got := a.Datagrams()
	if len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Fatalf("%s: sent\n%x, want\n%x (%v)", step, got, want, a.Err())
	}
}

func same(t *testing.T, step string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s: %x, want %x", step, got, want)
	}
}

// conversation replays the datagrams after the handshake: each of this side's
// is computed again, each of the peer's is read.
func conversation(t *testing.T, a *Association, flow []recorded, mine bool) {
	t.Helper()
	for i, d := range flow {
		closing := contentType(d.datagram[0]) == typeAlert
		switch {
		case d.fromClient == mine && closing:
			if a.Err() == nil { // else it has answered already
				a.Close()
			}
			one(t, "close_notify", a, d.datagram)
		case d.fromClient == mine:
			if err := a.Send(d.plaintext); err != nil {
				t.Fatal(err)
			}
			one(t, "application data", a, d.datagram)
		case closing:
			wasOpen := a.Err() == nil
			a.Receive(d.datagram)
			if wasOpen && !errors.Is(a.Err(), ErrPeerClosed) {
				t.Fatalf("after the peer's close_notify: %v", a.Err())
			}
		default:
			a.Receive(d.datagram)
			got := a.Messages()
			if len(got) != 1 || !bytes.Equal(got[0], d.plaintext) {
				t.Fatalf("datagram %d: %x, want %x", i, got, d.plaintext)
			}
		}
	}
}

var recordings = []string{"pskc", "no-petition", "queries"}

// The client's side of real sessions, bit by bit from the first ClientHello to
// close_notify. Of the first one every secret is known; each step of its key
// schedule is compared.
func TestRecordedClient(t *testing.T) {
	for _, name := range recordings {
		t.Run(name, func(t *testing.T) {
			r := readRecording(t, name)
			password := r.numbers["password"]
			if password == nil {
				password = []byte("not known")
			}
			a, err := NewClient(password, Config{script: r.script(t, ecjpake.Client)})
			if err != nil {
				t.Fatal(err)
			}
			a.Start()
			one(t, "first ClientHello", a, r.flow[0].datagram)
			a.Receive(r.flow[1].datagram)
			one(t, "second ClientHello", a, r.flow[2].datagram)
			a.Receive(r.flow[3].datagram)
			same(t, "client random", a.random[:], r.numbers["client_random"])
			same(t, "server random", a.peerRandom[:], r.numbers["server_random"])
			same(t, "master secret", a.master, r.numbers["master_secret"])
			if want := r.numbers["premaster"]; want != nil {
				got, err := a.agreement.Premaster()
				if err != nil {
					t.Fatal(err)
				}
				same(t, "premaster secret", got, want)
				same(t, "master secret of the premaster secret", masterSecret(want, a.random, a.peerRandom), r.numbers["master_secret"])
			}
			k := newKeyBlock(a.master, a.random, a.peerRandom)
			same(t, "client's key", k.clientKey[:], r.numbers["client_write_key"])
			same(t, "server's key", k.serverKey[:], r.numbers["server_write_key"])
			same(t, "client's IV", k.clientIV[:], r.numbers["client_write_iv"])
			same(t, "server's IV", k.serverIV[:], r.numbers["server_write_iv"])
			if want := r.numbers["client_verify_data"]; want != nil {
				same(t, "client's verify_data", a.flight[2].body[messageHeaderLen:], want)
				same(t, "server's verify_data", a.verifyData(false), r.numbers["server_verify_data"])
			}
			one(t, "ClientKeyExchange to Finished", a, r.flow[4].datagram)
			if a.Established() {
				t.Fatal("established before the server's Finished")
			}
			a.Receive(r.flow[5].datagram)
			if !a.Established() || a.master != nil || a.Wait() != 0 {
				t.Fatalf("not established: %v", a.Err())
			}
			conversation(t, a, r.flow[6:], true)
		})
	}
}

// The server's side of the same sessions: the border agent's datagrams, bit by
// bit, but for the HelloVerifyRequest, whose secret is its own.
func TestRecordedServer(t *testing.T) {
	for _, name := range recordings {
		t.Run(name, func(t *testing.T) {
			r := readRecording(t, name)
			a, err := NewServer(nil, Config{script: r.script(t, ecjpake.Server)})
			if err != nil {
				t.Fatal(err)
			}
			a.Receive(r.flow[2].datagram)
			one(t, "ServerHello to ServerHelloDone", a, r.flow[3].datagram)
			a.Receive(r.flow[4].datagram)
			one(t, "ChangeCipherSpec, Finished", a, r.flow[5].datagram)
			if !a.Established() {
				t.Fatal(a.Err())
			}
			conversation(t, a, r.flow[6:], false)
		})
	}
}

// A client with a wrong PSKc: the border agent can't read its Finished and says
// so in the clear.
func TestRecordedWrongKey(t *testing.T) {
	r := readRecording(t, "wrong-pskc")
	a, err := NewClient([]byte("not known"), Config{script: r.script(t, ecjpake.Client)})
	if err != nil {
		t.Fatal(err)
	}
	a.Start()
	one(t, "first ClientHello", a, r.flow[0].datagram)
	a.Receive(r.flow[1].datagram)
	one(t, "second ClientHello", a, r.flow[2].datagram)
	k := newKeyBlock(r.numbers["master_secret"], [32]byte(r.numbers["client_random"]), [32]byte(r.numbers["server_random"]))
	same(t, "client's key", k.clientKey[:], r.numbers["client_write_key"])
	// Without the wrong PSKc, the proof of round two can't be computed again.
	a.agreement = &recordedAgreement{
		two: r.message(t, typeClientKeyExchange).body, peerTwo: r.message(t, typeServerKeyExchange).body,
		peerOne: mustExtension(t, r.message(t, typeServerHello).body),
	}
	a.Receive(r.flow[3].datagram)
	one(t, "ClientKeyExchange to Finished", a, r.flow[4].datagram)
	a.Receive(r.flow[5].datagram)
	var alert *AlertError
	if err := a.Err(); !errors.Is(err, ErrWrongKey) || !errors.As(err, &alert) || alert.Alert != BadRecordMAC {
		t.Errorf("%v", err)
	}

	// And the server's side: with any other master secret the same alert.
	s := r.script(t, ecjpake.Server)
	s.master[0] ^= 1
	a, err = NewServer(nil, Config{script: s})
	if err != nil {
		t.Fatal(err)
	}
	a.Receive(r.flow[2].datagram)
	one(t, "ServerHello to ServerHelloDone", a, r.flow[3].datagram)
	a.Receive(r.flow[4].datagram)
	one(t, "alert", a, r.flow[5].datagram)
	if !errors.Is(a.Err(), ErrWrongKey) {
		t.Errorf("%v", a.Err())
	}
}

func mustExtension(t *testing.T, serverHelloBody []byte) []byte {
	t.Helper()
	var h serverHello
	if !h.unmarshal(serverHelloBody) {
		t.Fatal("the ServerHello can't be read")
	}
	b, ok := h.extensions.get(extKeyKPPair)
	if !ok {
		t.Fatal("no key exchange")
	}
	return b
}
