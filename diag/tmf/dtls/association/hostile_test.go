package association

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"threadmap/diag/tmf/ecjpake"
)

// clientAt is the client of a recording after `steps` of the agent's datagrams.
func clientAt(t testing.TB, r recording, steps int) *Association {
	t.Helper()
	c := client(t, key, Config{script: r.script(t, ecjpake.Client)})
	c.Start()
	for _, d := range r.flow {
		if !d.fromClient && steps > 0 {
			c.Receive(d.datagram)
			steps--
		}
	}
	c.Datagrams()
	return c
}

// serverAt is the agent of a recording after `steps` of the client's datagrams.
func serverAt(t testing.TB, r recording, steps int) *Association {
	t.Helper()
	s, err := NewServer(nil, Config{script: r.script(t, ecjpake.Server)})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []int{2, 4}[:steps] {
		s.Receive(r.flow[d].datagram)
	}
	s.Datagrams()
	return s
}

// Every strict prefix of every datagram is dropped or half of a flight, never
// an end of the handshake; the whole datagram then goes on with it.
func TestTruncated(t *testing.T) {
	r := readRecording(t, "pskc")
	for _, c := range []struct {
		name     string
		datagram []byte
		fresh    func() *Association
		want     state
	}{
		{"HelloVerifyRequest", r.flow[1].datagram, func() *Association { return clientAt(t, r, 0) }, clientHelloSent},
		{"flight 4", r.flow[3].datagram, func() *Association { return clientAt(t, r, 1) }, clientFinishedSent},
		{"flight 6", r.flow[5].datagram, func() *Association { return clientAt(t, r, 2) }, established},
		{"ClientHello", r.flow[2].datagram, func() *Association { return serverAt(t, r, 0) }, serverHelloDoneSent},
		{"flight 5", r.flow[4].datagram, func() *Association { return serverAt(t, r, 1) }, established},
	} {
		for n := range c.datagram {
			if n > 30 && n%7 != 0 && n < len(c.datagram)-20 { // each costs a handshake
				continue
			}
			a := c.fresh()
			a.Receive(c.datagram[:n])
			if a.Err() != nil || a.Established() {
				t.Fatalf("%s: %d of %d octets: established %v, %v", c.name, n, len(c.datagram), a.Established(), a.Err())
			}
			a.Receive(c.datagram)
			if a.state != c.want || a.Err() != nil {
				t.Fatalf("%s whole after %d octets: state %d, %v", c.name, n, a.state, a.Err())
			}
		}
	}
}

// An octet changed in any handshake message, or in anything sealed, and the
// handshake is not completed.
func TestFalsified(t *testing.T) {
	r := readRecording(t, "pskc")
	for _, c := range []struct {
		name     string
		datagram []byte
		fresh    func() *Association
		next     []byte // the peer's next datagram, which would complete it
	}{
		{"flight 4", r.flow[3].datagram, func() *Association { return clientAt(t, r, 1) }, r.flow[5].datagram},
		{"flight 5", r.flow[4].datagram, func() *Association { return serverAt(t, r, 1) }, nil},
		{"flight 6", r.flow[5].datagram, func() *Association { return clientAt(t, r, 2) }, nil},
	} {
		at := 0
		for _, b := range records(t, c.datagram) {
			rec, _, _ := cutRecord(b)
			for i := range b {
				significant := rec.typ == typeHandshake && (rec.epoch == 1 || i >= headerLen)
				if !significant || len(b) > 100 && i > 60 && i%5 != 0 {
					continue
				}
				bad := bytes.Clone(c.datagram)
				bad[at+i] ^= 1
				a := c.fresh()
				a.Receive(bad)
				if c.next != nil {
					a.Receive(c.next)
				}
				if a.Established() {
					t.Fatalf("%s: established with octet %d changed", c.name, at+i)
				}
				if c.name == "flight 6" { // not authentic: dropped, and nothing is lost
					a.Receive(c.datagram)
					if !a.Established() {
						t.Fatalf("flight 6 after a falsified one: %v", a.Err())
					}
				}
			}
			at += len(b)
		}
	}
}

// clear is a handshake record in the clear.
func clearMessage(typ messageType, seq uint16, body []byte) []byte {
	b := message{typ, seq, body}.marshal()
	return append(appendHeader(nil, typeHandshake, 0, 100, len(b)), b...)
}

func lastAlert(t *testing.T, a *Association) Alert {
	t.Helper()
	sent := a.Datagrams()
	if len(sent) == 0 {
		return noAlert
	}
	d := sent[len(sent)-1]
	if contentType(d[0]) != typeAlert || len(d) != headerLen+2 || d[headerLen] != levelFatal {
		t.Fatalf("not an alert: %x", d)
	}
	return Alert(d[headerLen+1])
}

// edited is a hello of the recording in the clear, after it was changed.
func edited(t *testing.T, typ messageType, h interface{ marshal() ([]byte, error) }) []byte {
	t.Helper()
	b, err := h.marshal()
	if err != nil {
		t.Fatal(err)
	}
	return clearMessage(typ, 1, b)
}

// with is e with an extension that has this body, in its place or at the end.
func with(e extensions, typ uint16, body []byte) extensions {
	e = slices.Clone(e)
	for i := range e {
		if e[i].typ == typ {
			e[i].body = body
			return e
		}
	}
	return append(e, extension{typ, body})
}

// without is e without an extension that it has.
func without(e extensions, typ uint16) extensions {
	return slices.DeleteFunc(slices.Clone(e), func(x extension) bool { return x.typ == typ })
}

// A wrong is a datagram that has something wrong, and the alert it gets: if
// that is noAlert, the handshake goes on.
type wrong struct {
	datagram []byte
	alert    Alert
}

const noAlert Alert = 255

// gets says wrong things to associations, each time to a fresh one.
func gets(t *testing.T, fresh func() *Association, all map[string]wrong) {
	t.Helper()
	for what, c := range all {
		a := fresh()
		a.Receive(c.datagram)
		if got := lastAlert(t, a); got != c.alert || (a.Err() != nil) != (c.alert != noAlert) {
			t.Errorf("%s: %v, want %v (%v)", what, got, c.alert, a.Err())
		}
	}
}

// What a server says wrong, and the alert it gets.
func TestClientRefuses(t *testing.T) {
	r := readRecording(t, "pskc")
	var good serverHello
	if !good.unmarshal(r.message(t, typeServerHello).body) {
		t.Fatal("ServerHello")
	}
	hello := func(edit func(*serverHello)) []byte {
		h := good
		h.extensions = slices.Clone(good.extensions)
		edit(&h)
		return edited(t, typeServerHello, &h)
	}
	set := func(typ uint16, body string) []byte {
		return hello(func(h *serverHello) { h.extensions = with(h.extensions, typ, []byte(body)) })
	}
	pair, _ := good.extensions.get(extKeyKPPair)
	badPair := bytes.Clone(pair)
	badPair[len(badPair)-1] ^= 1
	raw := r.message(t, typeServerHello).body
	gets(t, func() *Association { return clientAt(t, r, 1) }, map[string]wrong{
		"as it should be":                {hello(func(*serverHello) {}), noAlert},
		"without renegotiation_info":     {hello(func(h *serverHello) { h.extensions = h.extensions[1:] }), noAlert},
		"DTLS 1.0":                       {hello(func(h *serverHello) { h.version = version10 }), ProtocolVersion},
		"another suite":                  {hello(func(h *serverHello) { h.suite = 0xc0a8 }), IllegalParameter},
		"the SCSV as suite":              {hello(func(h *serverHello) { h.suite = suiteSCSV }), IllegalParameter},
		"compression":                    {hello(func(h *serverHello) { h.compression = 1 }), IllegalParameter},
		"no extension 256":               {hello(func(h *serverHello) { h.extensions = h.extensions[:2] }), HandshakeFailure},
		"no extensions":                  {hello(func(h *serverHello) { h.extensions = nil }), HandshakeFailure},
		"extended master secret":         {set(23, ""), UnsupportedExtension},
		"encrypt-then-MAC":               {set(22, ""), UnsupportedExtension},
		"an unknown extension":           {set(4711, "x"), UnsupportedExtension},
		"an extension twice":             {hello(func(h *serverHello) { h.extensions = append(h.extensions, h.extensions[0]) }), DecodeError},
		"renegotiation":                  {set(extRenegotiation, "\x01x"), HandshakeFailure},
		"point formats that don't parse": {set(extPointFormats, "\x05\x00"), DecodeError},
		"a proof that does not hold":     {set(extKeyKPPair, string(badPair)), IllegalParameter},
		"an octet more":                  {clearMessage(typeServerHello, 1, append(bytes.Clone(raw), 0)), DecodeError},
		"an octet less":                  {clearMessage(typeServerHello, 1, raw[:len(raw)-1]), DecodeError},
		"a session id of 33":             {hello(func(h *serverHello) { h.sessionID = make([]byte, 33) }), DecodeError},
		"an empty ServerHello":           {clearMessage(typeServerHello, 1, nil), DecodeError},
		"a ClientHello":                  {clearMessage(typeClientHello, 1, r.message(t, typeClientHello).body), UnexpectedMessage},
		"ServerKeyExchange too early":    {clearMessage(typeServerKeyExchange, 1, r.message(t, typeServerKeyExchange).body), UnexpectedMessage},
		"a Certificate":                  {clearMessage(11, 1, []byte{0, 0, 0}), UnexpectedMessage},
		"a HelloVerifyRequest cut off":   {clearMessage(typeHelloVerifyRequest, 1, []byte{0xfe, 0xfd, 2, 1}), DecodeError},
		"Finished in the clear":          {clearMessage(typeFinished, 1, make([]byte, verifyDataLen)), noAlert},
		"HelloRequest":                   {clearMessage(typeHelloRequest, 1, nil), noAlert},
		"another version of record":      {append([]byte{22, 3, 3}, hello(func(h *serverHello) { h.version = version10 })[3:]...), noAlert},
		"epoch 2":                        {append([]byte{22, 0xfe, 0xfd, 0, 2}, hello(func(h *serverHello) { h.version = version10 })[5:]...), noAlert},
		"a message of 16 MB":             {append(bytes.Clone(clearMessage(typeServerHello, 1, nil)[:headerLen]), 2, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0), noAlert},
	})

	// Later flights.
	gets(t, func() *Association {
		a := clientAt(t, r, 1)
		a.Receive(records(t, r.flow[3].datagram)[0])
		return a
	}, map[string]wrong{
		"ServerHelloDone too early":      {clearMessage(typeServerHelloDone, 2, nil), UnexpectedMessage},
		"ServerKeyExchange, wrong curve": {clearMessage(typeServerKeyExchange, 2, append([]byte{3, 0, 0x18}, r.message(t, typeServerKeyExchange).body[3:]...)), IllegalParameter},
		"ServerKeyExchange, cut off":     {clearMessage(typeServerKeyExchange, 2, r.message(t, typeServerKeyExchange).body[:167]), IllegalParameter},
	})
	a := clientAt(t, r, 1)
	a.Receive(bytes.Join(records(t, r.flow[3].datagram)[:2], nil))
	a.Receive(clearMessage(typeServerHelloDone, 3, []byte{0}))
	if got := lastAlert(t, a); got != DecodeError {
		t.Errorf("ServerHelloDone with a body: %v", got)
	}
}

// What a client says wrong, and the alert it gets.
func TestServerRefuses(t *testing.T) {
	r := readRecording(t, "pskc")
	var good clientHello
	if !good.unmarshal(r.message(t, typeClientHello).body) {
		t.Fatal("ClientHello")
	}
	hello := func(edit func(*clientHello)) []byte {
		h := good
		h.extensions = slices.Clone(good.extensions)
		edit(&h)
		return edited(t, typeClientHello, &h)
	}
	set := func(typ uint16, body []byte) []byte {
		return hello(func(h *clientHello) { h.extensions = with(h.extensions, typ, body) })
	}
	drop := func(typ uint16) []byte {
		return hello(func(h *clientHello) { h.extensions = without(h.extensions, typ) })
	}
	fresh := func() *Association {
		s, err := NewServer(key, Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	gets(t, fresh, map[string]wrong{
		"DTLS 1.0":               {hello(func(h *clientHello) { h.version = version10 }), ProtocolVersion},
		"TLS 1.2":                {hello(func(h *clientHello) { h.version = 0x0303 }), ProtocolVersion},
		"no such suite":          {hello(func(h *clientHello) { h.suites = []uint16{0xc0a8, suiteSCSV} }), HandshakeFailure},
		"compression only":       {hello(func(h *clientHello) { h.compressions = []byte{1} }), HandshakeFailure},
		"other groups":           {set(extSupportedGroups, []byte{0, 4, 0, 0x18, 0, 0x1d}), HandshakeFailure},
		"no extension 256":       {drop(extKeyKPPair), HandshakeFailure},
		"an empty extension 256": {set(extKeyKPPair, nil), IllegalParameter},
		"not a hello":            {clearMessage(typeClientHello, 1, []byte{0xfe}), DecodeError},
		"a ClientKeyExchange":    {clearMessage(typeClientKeyExchange, 0, nil), UnexpectedMessage},
	})
	// Without the extensions that some clients leave out, it answers without.
	for what, c := range map[string]struct {
		datagram []byte
		absent   uint16
	}{
		"no groups":        {drop(extSupportedGroups), extSupportedGroups},
		"no point formats": {drop(extPointFormats), extPointFormats},
		"no SCSV":          {hello(func(h *clientHello) { h.suites = h.suites[:1] }), extRenegotiation},
	} {
		s := fresh()
		s.Receive(c.datagram)
		f, _, _ := cutFragment(records(t, only(t, what, s.Datagrams()))[0][headerLen:])
		var answer serverHello
		if !answer.unmarshal(f.body) {
			t.Fatalf("%s: %v", what, s.Err())
		}
		if _, ok := answer.extensions.get(c.absent); ok {
			t.Errorf("%s: the answer has extension %d", what, c.absent)
		}
	}
	// The second flight.
	good5 := records(t, r.flow[4].datagram)
	for what, c := range map[string]wrong{
		"another message":       {clearMessage(typeServerHelloDone, 2, nil), UnexpectedMessage},
		"a key exchange in two": {good5[0][:len(good5[0])-1], noAlert},
		"Finished first":        {good5[2], noAlert}, // kept for later
	} {
		s := serverAt(t, r, 1)
		s.Receive(c.datagram)
		if got := lastAlert(t, s); got != c.alert {
			t.Errorf("%s: %v, want %v (%v)", what, got, c.alert, s.Err())
		}
		if c.alert == noAlert {
			s.Receive(good5[0])
			s.Receive(good5[2])
			if !s.Established() {
				t.Errorf("%s: %v", what, s.Err())
			}
		}
	}
}

// beforeFlight5 are a client that has made its flight 5, and the server that is
// to hear it.
func beforeFlight5(t *testing.T) (*Association, *host) {
	t.Helper()
	c, h := client(t, key, Config{}), newHost(t, key, Config{})
	c.Start()
	for range 2 { // the second ClientHello has the cookie
		c.Receive(h.receive(c.Datagrams()[0])[0])
	}
	return c, h
}

// A Finished that can be read but is not right.
func TestFinishedMismatch(t *testing.T) {
	c, h := beforeFlight5(t)
	h.receive(c.appendRecord(nil, c.flight[0]))
	forged := bytes.Clone(c.flight[2].body)
	forged[len(forged)-1] ^= 1
	h.receive(c.appendRecord(nil, clearRecord{typeHandshake, 1, forged}))
	if h.Err() == nil || h.parting.body[1] != byte(DecryptError) || h.parting.epoch != 0 {
		t.Errorf("%v, %x", h.Err(), h.parting)
	}
	short := message{typeFinished, 3, make([]byte, 3)}.marshal()
	c, h = beforeFlight5(t)
	h.receive(c.appendRecord(nil, c.flight[0]))
	h.receive(c.appendRecord(nil, clearRecord{typeHandshake, 1, short}))
	if h.Err() == nil {
		t.Error("a Finished of 3 octets was accepted")
	}
}

// The memory that a stranger can make us hold is bounded.
func TestReassemblyBounds(t *testing.T) {
	var r reassembly
	for seq := range uint16(1000) {
		for _, length := range []int{1<<24 - 1, maxMessage + 1, maxMessage, 1, 0} {
			r.add(fragment{typ: typeServerHello, length: length, seq: seq + 1, body: []byte{1}[:min(length, 1)]})
		}
	}
	for i, p := range r.partial {
		if (p != nil) != (i > 0) {
			t.Errorf("message %d: %v", i, p)
		}
		if p != nil && len(p.body) > maxMessage {
			t.Errorf("message %d has %d octets", i, len(p.body))
		}
	}
	if _, ok := r.take(); ok {
		t.Error("a message came out of nothing")
	}

	// Where two fragments disagree, the first one holds.
	r = reassembly{}
	r.add(fragment{typ: 1, length: 4, offset: 1, body: []byte("bc")})
	r.add(fragment{typ: 1, length: 4, offset: 0, body: []byte("XXX")})
	r.add(fragment{typ: 2, length: 4, offset: 3, body: []byte("Y")}) // another type
	r.add(fragment{typ: 1, length: 5, offset: 3, body: []byte("YZ")})
	if _, ok := r.take(); ok {
		t.Error("complete too early")
	}
	r.add(fragment{typ: 1, length: 4, offset: 3, body: []byte("d")})
	if m, ok := r.take(); !ok || string(m.body) != "Xbcd" || m.seq != 0 {
		t.Errorf("%q, %v", m.body, ok)
	}
	r.add(fragment{typ: 1, length: 0, seq: 0})
	if _, ok := r.take(); ok {
		t.Error("a message came again")
	}
}

// Records of epoch 1 that come before the keys are kept, but not many.
func TestEarlyRecordsBounded(t *testing.T) {
	r := readRecording(t, "pskc")
	a := clientAt(t, r, 1)
	for i := range 100 {
		b := make([]byte, 4000)
		a.Receive(append(appendHeader(nil, typeApplicationData, 1, uint64(i), len(b)), b...))
	}
	if len(a.early) > maxEarly || a.earlyLen > maxEarlyOctets {
		t.Errorf("%d records, %d octets", len(a.early), a.earlyLen)
	}
	a.Receive(r.flow[3].datagram)
	a.Receive(r.flow[5].datagram)
	if !a.Established() {
		t.Errorf("garbage before the keys broke the handshake: %v", a.Err())
	}
}

// Data that overtakes the server's Finished waits for it, and is never given
// out if it does not come.
func TestDataBeforeFinished(t *testing.T) {
	for _, finishes := range []bool{true, false} {
		c, h := beforeFlight5(t)
		flight6 := only(t, "flight 6", h.receive(c.Datagrams()[0]))
		h.Send([]byte("early"))
		c.Receive(only(t, "data", h.Datagrams()))
		if got := c.Messages(); got != nil || c.Established() {
			t.Fatalf("%q came out before the Finished", got)
		}
		if finishes {
			c.Receive(flight6)
		} else {
			c.Close()
		}
		if got := c.Messages(); (len(got) == 1) != finishes {
			t.Errorf("finished %v: %q", finishes, got)
		}
	}
}

func TestRecordLimits(t *testing.T) {
	c, h := connect(t, Config{MaxSend: 768}, Config{MaxRecord: 500})
	if err := c.Send(make([]byte, 769)); !errors.Is(err, ErrTooLong) || c.Datagrams() != nil {
		t.Errorf("%v", err)
	}
	for n, arrives := range map[int]bool{768: false, 501: false, 500: true, 0: true} {
		if err := c.Send(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		d := only(t, "data", c.Datagrams())
		if len(d) != n+Overhead {
			t.Errorf("%d octets make a datagram of %d", n, len(d))
		}
		h.Receive(d)
		if got := h.Messages(); (len(got) == 1) != arrives || h.Err() != nil {
			t.Errorf("%d octets: %d messages, %v", n, len(got), h.Err())
		}
	}

	// Data that nobody fetches is dropped at some point, the oldest is kept.
	c, h = connect(t, Config{}, Config{})
	for i := range 2 * maxQueue {
		c.Send(binary.BigEndian.AppendUint32(nil, uint32(i)))
		h.Receive(only(t, "data", c.Datagrams()))
	}
	got := h.Messages()
	if len(got) != maxQueue || h.Dropped() != maxQueue || binary.BigEndian.Uint32(got[0]) != 0 {
		t.Errorf("%d messages, %d dropped", len(got), h.Dropped())
	}
	for range 100 {
		c.Send(make([]byte, MaxPlaintext))
		h.Receive(only(t, "data", c.Datagrams()))
	}
	if h.inLen > maxQueueOctets || len(h.in) != maxQueueOctets/MaxPlaintext {
		t.Errorf("%d octets in %d messages", h.inLen, len(h.in))
	}
}

// The 64 records before the newest are taken once each, older ones never.
func TestReplay(t *testing.T) {
	var w replayWindow
	seen := map[uint64]bool{}
	newest := uint64(0)
	for i, seq := range []uint64{0, 0, 1, 5, 3, 3, 2, 4, 70, 7, 6, 69, 70, 71, 8, 7, 1000, 936, 937, 936, 1001, 937, 938, maxSeq, maxSeq, maxSeq - 63, maxSeq - 64, 1 << 40} {
		want := !seen[seq] && (seq > newest || newest-seq < 64)
		if got := w.fresh(seq); got != want {
			t.Errorf("step %d, record %d: fresh %v", i, seq, got)
		}
		if want {
			w.mark(seq)
			seen[seq] = true
			newest = max(newest, seq)
		}
	}

	c, h := connect(t, Config{}, Config{})
	var sent [][]byte
	for i := range 70 {
		c.Send([]byte{byte(i)})
		sent = append(sent, only(t, "data", c.Datagrams()))
	}
	for _, i := range []int{69, 69, 6, 5, 6, 10, 10} {
		h.Receive(sent[i])
	}
	var got []byte
	for _, m := range h.Messages() {
		got = append(got, m...)
	}
	if want := []byte{69, 6, 10}; !bytes.Equal(got, want) {
		t.Errorf("%v arrived, want %v", got, want)
	}
	// A forgery does not move the window.
	forged := bytes.Clone(sent[20])
	binary.BigEndian.PutUint64(forged[3:], 1<<48|1<<40)
	h.Receive(forged)
	h.Receive(sent[20])
	if got := h.Messages(); len(got) != 1 {
		t.Error("a forged record moved the replay window")
	}
}

func TestCookies(t *testing.T) {
	r := readRecording(t, "pskc")
	cookies := NewCookies()
	hello := r.flow[0].datagram
	reply, accepted := cookies.Check(hello, "a")
	if accepted || reply == nil || len(reply) > len(hello) {
		t.Fatalf("%x, %v", reply, accepted)
	}
	rec, _, _ := cutRecord(reply)
	f, _, _ := cutFragment(rec.body)
	cookie, err := unmarshalHelloVerifyRequest(f.body)
	if err != nil || f.typ != typeHelloVerifyRequest {
		t.Fatal(err)
	}
	_, m, h, _ := readClientHello(hello)
	h.cookie = cookie
	build := func(h clientHello, seq uint16) []byte {
		b, err := h.marshal()
		if err != nil {
			t.Fatal(err)
		}
		return clearMessage(typeClientHello, seq, b)
	}
	if _, accepted := cookies.Check(build(h, m.seq+1), "a"); !accepted {
		t.Error("the right cookie was refused")
	}
	for what, ok := range map[string]bool{
		"another peer":    check(cookies, build(h, 1), "b"),
		"another process": check(NewCookies(), build(h, 1), "a"),
		"another random":  func() bool { h := h; h.random[0] ^= 1; return check(cookies, build(h, 1), "a") }(),
		"another suite":   func() bool { h := h; h.suites = h.suites[:1]; return check(cookies, build(h, 1), "a") }(),
		"a shorter cookie": func() bool {
			h := h
			h.cookie = h.cookie[:31]
			return check(cookies, build(h, 1), "a")
		}(),
		"another extension": func() bool {
			h := h
			h.extensions = h.extensions[1:]
			return check(cookies, build(h, 1), "a")
		}(),
	} {
		if ok {
			t.Errorf("%s: the cookie was accepted", what)
		}
	}
	// No answer to anything else: it might be sent in somebody's name.
	for what, d := range map[string][]byte{
		"nothing":             nil,
		"garbage":             bytes.Repeat([]byte{22}, 100),
		"a ServerHello":       clearMessage(typeServerHello, 0, r.message(t, typeServerHello).body),
		"application data":    r.flow[6].datagram,
		"half a ClientHello":  hello[:len(hello)-1],
		"a first fragment":    append(bytes.Clone(hello[:22]), append([]byte{0, 0, 4}, hello[25:29]...)...),
		"a hello of 16 kB":    clearMessage(typeClientHello, 0, make([]byte, MaxPlaintext)),
		"a hello in epoch 1":  append([]byte{22, 0xfe, 0xfd, 0, 1}, hello[5:]...),
		"a hello cut in body": clearMessage(typeClientHello, 0, m.body[:60]),
	} {
		if reply, accepted := cookies.Check(d, "a"); reply != nil || accepted {
			t.Errorf("%s was answered", what)
		}
	}
}

func check(c *Cookies, b []byte, peer string) bool {
	_, ok := c.Check(b, peer)
	return ok
}

// Flights are repeated for a peer that asks again, but not without end.
func TestAnswersBounded(t *testing.T) {
	r := readRecording(t, "pskc")
	s := serverAt(t, r, 1)
	n := 0
	for range 1000 {
		s.Receive(r.flow[2].datagram)
		n += len(s.Datagrams())
	}
	if n != maxAnswers {
		t.Errorf("%d answers", n)
	}
	// The first ClientHello, arriving late, is no repetition.
	s = serverAt(t, r, 1)
	s.Receive(r.flow[0].datagram)
	if s.Datagrams() != nil || s.Err() != nil {
		t.Error("an old ClientHello was answered")
	}
}

func TestAlertNames(t *testing.T) {
	for alert, want := range map[Alert]string{BadRecordMAC: "bad_record_mac (20)", 200: "alert 200"} {
		if alert.String() != want {
			t.Errorf("%v", alert)
		}
	}
	if got := (&AlertError{HandshakeFailure}).Error(); got != "the peer answered with handshake_failure (40)" {
		t.Error(got)
	}
	for typ, want := range map[messageType]string{0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 3: "HelloVerifyRequest", 12: "ServerKeyExchange", 14: "ServerHelloDone", 16: "ClientKeyExchange", 20: "Finished"} {
		if typ.String() != want {
			t.Errorf("%v", typ)
		}
	}
}
