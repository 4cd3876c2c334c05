package canary

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/matter/message"
	"threadmap/simulators/matternode"
	"threadmap/tlv"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	must(t, err)
	return b
}

// TestOpenCheckIn opens connectedhomeip's vectors, one computed with OpenSSL,
// and messages of matter.js as captured in August 2026.
func TestOpenCheckIn(t *testing.T) {
	const chip, captured = "d90e13180d00baadd20cf5ed4913d3ff", "15a139085e5cd465f04a234ae693fa4b"
	for _, c := range []struct {
		key, payload string
		counter      uint32
		threshold    time.Duration
	}{
		{chip, "4580d2c6f1310dc4eb64f1f8e8bdc21fb5195d747dd2879b2b0d43ce5b1c565078", 12, 0},
		{"18fdbceaef01955b0ec875eda3ae6ee8", "9b02ed21ee0c7b491985502e372dbd7b3f8b4f8e3c5ad99419389f41a8d609938c67a86d65", 15, 0x6854 * time.Millisecond},
		{chip, "aa84bc60886a63a8475d5dbeb56d635fa95285ae33626613c7636ce3e3b2a8b13a8c89bef76891e8e296", 11, 0x6854 * time.Millisecond},
		{chip, "cef47cafc386ffb2de873919792332a1165842287d6b9bbdeabf01e53dae4946986bac", 0x01020304, 5 * time.Second},
		{captured, "2e7f895d4fcba957ae6036657f592c66d29250779a139cb1fc913398d190a43bb5bf01", 0x01968390, 5 * time.Second},
		{captured, "35f2703ddc45e1d262ddcac3223c6510cce0c130b0bd07464eb4fffb527c10464763cc", 0x01968391, 5 * time.Second},
	} {
		key := KeyOf([16]byte(unhex(t, c.key)))
		payload := unhex(t, c.payload)
		in, err := OpenCheckIn(key, payload)
		if err != nil || in.Counter != c.counter || in.ActiveModeThreshold != c.threshold {
			t.Errorf("%s: %+v, %v", c.payload, in, err)
		}
		for i := range payload {
			payload[i] ^= 1
			if _, err := OpenCheckIn(key, payload); err == nil {
				t.Errorf("%s: octet %d was changed and nobody noticed", c.payload, i)
			}
			payload[i] ^= 1
		}
		for n := range len(payload) {
			if _, err := OpenCheckIn(key, payload[:n]); err == nil {
				t.Errorf("%s: the first %d octets were enough", c.payload, n)
			}
		}
		if _, err := OpenCheckIn(NewKey(), payload); err == nil {
			t.Error("any key opens it")
		}
	}
	if _, err := OpenCheckIn(Key{}, make([]byte, 40)); err == nil {
		t.Error("no key opens it")
	}
}

// TestReplay: each counter once, over the wrap, and after half of them a new
// key.
func TestReplay(t *testing.T) {
	payload := unhex(t, "4580d2c6f1310dc4eb64f1f8e8bdc21fb5195d747dd2879b2b0d43ce5b1c565078") // counter 12
	key := KeyOf([16]byte(unhex(t, "d90e13180d00baadd20cf5ed4913d3ff")))
	for _, c := range []struct {
		start uint32
		last  int64
		ok    bool
		renew bool
	}{
		{start: 11, last: -1, ok: true},
		{start: 11, last: 1},
		{start: 0xfffffff0, last: 27, ok: true},
		{start: 0xfffffff0, last: 28},
		{start: 1<<31 + 12, last: -1, ok: true, renew: true}, // half of all
		{start: 13, last: -1, ok: true, renew: true},         // the last of all: before the start
	} {
		r := &registration{key: key, start: c.start, last: c.last}
		_, renew, err := r.take(payload)
		if (err == nil) != c.ok || renew != c.renew {
			t.Errorf("%+v: renew %v, %v", c, renew, err)
		}
		if _, _, err := r.take(payload); err == nil {
			t.Errorf("%+v: it came twice", c)
		}
	}
}

func TestKeyIsHidden(t *testing.T) {
	key := KeyOf([16]byte([]byte("SixteenSecretOct")))
	wrapped := struct{ k Key }{key}
	r := &registration{key: key}
	j, err := json.Marshal(key)
	must(t, err)
	for _, s := range []string{fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %x %v", key, wrapped, wrapped, key, r), string(j), slog.AnyValue(key).Resolve().String(), fmt.Sprintf("%+v %#v", *r, r)} {
		if strings.Contains(s, "Sixteen") || strings.Contains(s, hex.EncodeToString([]byte("Sixteen"))) || strings.Contains(s, "83 105 120") {
			t.Errorf("%s", s)
		}
	}
}

func TestState(t *testing.T) {
	s := State{Format: stateFormat, Version: 1, Fabric: "00112233445566aa", Node: "ffffffefffffffff", Client: "0000000000000001", Owner: "me", Made: date, Expires: date.Add(lifetime),
		Subscriptions: []Held{{ID: 1<<32 - 1, Max: 1200, At: date}}, Subscribing: true, Registered: true, Pending: "it sleeps"}
	b, err := json.Marshal(s)
	must(t, err)
	got, err := ParseState(b)
	must(t, err)
	if f, n := got.Device(); f != 0x00112233445566aa || n != 0xffffffefffffffff || got.Empty() || got.Subscriptions[0] != s.Subscriptions[0] {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"", "{}", `[]`, strings.Replace(string(b), `"version":1`, `"version":2`, 1), strings.Replace(string(b), "00112233445566aa", "zz", 1),
		strings.Replace(string(b), `"me"`, `"`+strings.Repeat("x", 300)+`"`, 1), strings.Repeat(" ", maxState+1), strings.Replace(string(b), `[{`, `[`+strings.Repeat(`{"id":1},`, maxHeld)+`{`, 1)} {
		if _, err := ParseState([]byte(bad)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"format":"threadmap-canary","version":1,"fabric":"00112233445566aa","node":"0000000000000001","client":"0000000000000001","subscriptions":[{"id":1,"max":2,"at":"2026-11-22T12:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseState(b)
		if err != nil {
			return
		}
		if len(s.Subscriptions) > maxHeld {
			t.Error("more subscriptions than there can be")
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseState(again); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		put  func(*tlv.Encoder)
		want string
	}{
		{func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, 1<<64-1) }, "18446744073709551615"},
		{func(e *tlv.Encoder) { e.PutInt(tlv.Anonymous, -1<<63) }, "-9223372036854775808"},
		{func(e *tlv.Encoder) { e.PutBool(tlv.Anonymous, true) }, "true"},
		{func(e *tlv.Encoder) { e.PutNull(tlv.Anonymous) }, "null"},
		{func(e *tlv.Encoder) { e.PutText(tlv.Anonymous, "a\x1b\"\u2028") }, `"a\u001b\"\u2028"`},
		{func(e *tlv.Encoder) { e.PutOctets(tlv.Anonymous, []byte{0xff, 0}) }, `"/wA="`},
		{func(e *tlv.Encoder) {
			e.Array(tlv.Anonymous)
			for i := range 2 {
				e.Struct(tlv.Anonymous)
				e.PutUint(tlv.Context(1), uint64(i))
				e.PutUint(tlv.Context(254), 3)
				e.End()
			}
			e.End()
		}, `[{"1":0,"254":3},{"1":1,"254":3}]`},
	} {
		var e tlv.Encoder
		c.put(&e)
		b, err := e.Bytes()
		must(t, err)
		got, err := jsonOf(b)
		if err != nil || string(got) != c.want || !json.Valid(got) {
			t.Errorf("%s, %v, want %s", got, err, c.want)
		}
	}
}

func FuzzValues(f *testing.F) {
	f.Add([]byte{0x16, 0x15, 0x24, 1, 5, 0x18, 0x18})
	f.Add([]byte{0x0c, 2, 'a', 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := jsonOf(b); err == nil && (!json.Valid(got) || len(got) > 2*maxValue) {
			t.Errorf("%x: %d octets: %.100s", b, len(got), got)
		}
	})
}

func TestMeter(t *testing.T) {
	var m meter
	at := func(d time.Duration) time.Time { return date.Add(d) }
	m.begin(at(0), 100)
	if w := m.wait(at(0)); w != 0 {
		t.Errorf("at first: %v", w)
	}
	m.note(at(10*time.Minute), 104)
	if w := m.wait(at(10 * time.Minute)); w != 0 {
		t.Errorf("after 4: %v", w)
	}
	m.note(at(20*time.Minute), 108)
	if w := m.wait(at(30 * time.Minute)); w != 40*time.Minute { // when the first four are an hour old
		t.Errorf("after 8: %v", w)
	}
	if w := m.wait(at(70 * time.Minute)); w != 0 {
		t.Errorf("an hour later: %v", w)
	}
	m.note(at(3*time.Hour), 140)
	if w := m.wait(at(3 * time.Hour)); w != time.Hour {
		t.Errorf("after 32: %v", w)
	}
	for i := range 2 * maxSamples {
		m.note(at(4*time.Hour+time.Duration(i)), uint64(200+i))
	}
	if len(m.samples) > maxSamples+1 {
		t.Errorf("%d samples are kept", len(m.samples))
	}
}

// TestStrangers: what anybody can send does nothing but cost a few lines.
func TestStrangers(t *testing.T) {
	in(t, aSwitch(20*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		c := h.start(nil)
		time.Sleep(time.Minute)
		before := c.r.Timeline().Len()
		for i := range 300 {
			s := h.foreign.Unsecured(canaryAt, message.SessionParameters{})
			x, err := s.Open(h.t.Context())
			must(h.t, err)
			opcode := []uint8{message.CheckIn, message.Sigma1, message.PBKDFParamRequest, 0x77}[i%4]
			payload := unhex(h.t, []string{"4580d2c6f1310dc4eb64f1f8e8bdc21fb5195d747dd2879b2b0d43ce5b1c565078", "15300100", "1518", ""}[i%4])
			must(h.t, x.SendOnce(message.SecureChannel, opcode, payload))
			x.Abort()
			s.Drop()
		}
		time.Sleep(10 * time.Second)
		if n := c.r.Timeline().Len() - before; n > 2*strangersMost {
			h.t.Errorf("%d observations", n)
		}
		h.device.Press()
		time.Sleep(10 * time.Second)
		if !has(c.saw("event"), func(e *icd.DeviceEvent) bool { return e.Name == "InitialPress" }) {
			h.t.Error("the device was not heard any more")
		}
		c.stop()
		h.clean(0)
	})
}

// TestOffTheFabric: a device that does not know us ends the canary with a word.
func TestOffTheFabric(t *testing.T) {
	in(t, aSwitch(20*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		stranger := authority(h.t)
		cfg := h.config(nothing)
		cfg.Member = stranger.Member()
		err := Watch(h.t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), "pair it again") || strings.Contains(err.Error(), "\n") {
			h.t.Errorf("%v", err)
		}
	})
}

// TestKeepFails: what can't be remembered is not done.
func TestKeepFails(t *testing.T) {
	in(t, aSwitch(20*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		cfg := h.config(nothing)
		cfg.Keep = func(State) error { return context.DeadlineExceeded }
		if err := Watch(h.t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "state") {
			h.t.Errorf("%v", err)
		}
		h.clean(0)
	})
}

func TestConfig(t *testing.T) {
	in(t, aSwitch(20*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		cfg := h.config(nothing)
		a, err := cfg.Announcement()
		must(h.t, err)
		if want := h.ca.Member().InstanceName(h.ca.Member().NodeID); a.Instance != want || a.Port != canaryAt.Port() || a.Service != "_matter._tcp" || a.TXT["SII"] != "500" {
			h.t.Errorf("%+v", a)
		}
		cfg.State = State{Format: stateFormat, Fabric: "0000000000000001", Node: "0000000000000001", Registered: true}
		if err := Watch(h.t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "another device") {
			h.t.Errorf("the state of another: %v", err)
		}
		for _, change := range []func(*Config){
			func(c *Config) { c.Socket.Close(); c.Socket = nil }, func(c *Config) { c.Member = nil }, func(c *Config) { c.Node = 0 }, func(c *Config) { c.Resolve = nil }, func(c *Config) { c.Observe = nil },
		} {
			cfg := h.config(nothing)
			change(&cfg)
			if err := Watch(h.t.Context(), cfg); err == nil {
				h.t.Error("that is no config")
			}
		}
	})
}

func TestWantsResumption(t *testing.T) {
	for s, want := range map[string]bool{"": false, "1518": false, "15300601aa300701bb18": true, "15300601aa18": false, "300601": false} {
		if got := wantsResumption(unhex(t, s)); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}
