package message

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed are messages of secure sessions: the first from a test of
// connectedhomeip (TestSessionManagerDispatch), the others computed by an
// independent implementation in Python.
var sealed = []struct {
	name, key, header, plaintext, wire string
	sender                             uint64
	h                                  Header
	p                                  Protocol
	payload                            string
}{
	{
		name: "connectedhomeip, PASE", key: "5eded244e5532b3cdc23409dbad052d2", header: "00b80b0039300000",
		plaintext: "0564ee0e207d1122334455", wire: "00b80b00393000005a989ae42e8d0f7f885dfb2faa8949cf730a5728e0354610a0c4a7",
		h: Header{SessionID: 0x0bb8, Counter: 0x3039}, p: Protocol{Initiator: true, Reliable: true, Opcode: 0x64, Exchange: 0x0eee, ID: 0x7d20}, payload: "1122334455",
	},
	{
		name: "ReadRequest to a device", key: "8cc3fe21e36ba9ac93bd54fba5be435f", header: "0022220004030201", sender: 0x1b669,
		plaintext: "0502efbe0100153600172402002403352404071818280324ff0c18",
		wire:      "00222200040302019bbbb4f8a4d98496c965555fac7091ea52df6f7f28f15aeb4bb51d5a55ff2bf83f4e1cfc682b824b96d0d1",
		h:         Header{SessionID: 0x2222, Counter: 0x01020304}, p: Protocol{Initiator: true, Reliable: true, Opcode: 2, Exchange: 0xbeef, ID: InteractionModel},
		payload: "153600172402002403352404071818280324ff0c18",
	},
	{
		name: "acknowledgement of a device", key: "24e4292a660645e7c3ce22d4bbda3122", header: "001111000d0c0b0a", sender: 0x1122334455667788,
		plaintext: "0210efbe000004030201", wire: "001111000d0c0b0ab3a719b4843d9a3e0ade38c21d95024c946438b53d4556a212ac",
		h: Header{SessionID: 0x1111, Counter: 0x0a0b0c0d}, p: Protocol{HasAck: true, Ack: 0x01020304, Opcode: StandaloneAck, Exchange: 0xbeef},
	},
}

func TestSealedVectors(t *testing.T) {
	for _, v := range sealed {
		t.Run(v.name, func(t *testing.T) {
			key := [KeySize]byte(unhex(t, v.key))
			if got := v.h.Append(nil); hex.EncodeToString(got) != v.header {
				t.Errorf("header %x, want %s", got, v.header)
			}
			if got := append(v.p.Append(nil), unhex(t, v.payload)...); hex.EncodeToString(got) != v.plaintext {
				t.Errorf("plaintext %x, want %s", got, v.plaintext)
			}
			got := NewCipher(key, v.sender).Seal([]byte("before"), v.h, v.p, unhex(t, v.payload))
			if string(got) != "before"+string(unhex(t, v.wire)) {
				t.Errorf("wire %x, want %s", got, v.wire)
			}
			h, n, err := Parse(unhex(t, v.wire))
			if err != nil || h != v.h || n != len(v.header)/2 {
				t.Errorf("parsed %+v, %d, %v", h, n, err)
			}
			plain, err := NewCipher(key, v.sender).Open(nil, h, n, unhex(t, v.wire))
			if err != nil || hex.EncodeToString(plain) != v.plaintext {
				t.Errorf("opened %x, %v", plain, err)
			}
			p, payload, err := ParseProtocol(plain)
			if err != nil || p != v.p || hex.EncodeToString(payload) != v.payload {
				t.Errorf("parsed %+v, %x, %v", p, payload, err)
			}
			if _, err := NewCipher(key, v.sender+1).Open(nil, h, n, unhex(t, v.wire)); err != NotAuthentic {
				t.Errorf("from another node: %v", err)
			}
		})
	}
}

// TestUnsecuredVectors are two frames of matter.js' MessageCodecTest.
func TestUnsecuredVectors(t *testing.T) {
	for _, v := range []struct {
		wire string
		h    Header
		p    Protocol
	}{
		{
			"040000000a4ff2177ea0c8a7cb6a63520520d3640000153001204715a406c6b0496ad52039e347db8528cb69a1cb2fce6f2318552ae65e103aca250233dc240300280435052501881325022c011818",
			Header{Counter: 0x17f24f0a, Source: 0x52636acba7c8a07e, HasSource: true},
			Protocol{Initiator: true, Reliable: true, Opcode: PBKDFParamRequest, Exchange: 0x64d3},
		},
		{
			"01000000218712797ea0c8a7cb6a63520621d36400000a4ff217153001204715a406c6b0496ad52039e347db8528cb69a1cb2fce6f2318552ae65e103aca3002201783302d95a4a9fb0decb8fdd6564b90a957681459aeee069961bea61d7b247125039d8935042501e80330022099f813dd41bd081a1c63e811828f0662594bca89cd9d4ed26f7427fdb2a027361835052501881325022c011818",
			Header{Counter: 0x79128721, Destination: 0x52636acba7c8a07e, HasDestination: true},
			Protocol{Reliable: true, HasAck: true, Ack: 0x17f24f0a, Opcode: PBKDFParamResponse, Exchange: 0x64d3},
		},
	} {
		wire := unhex(t, v.wire)
		h, n, err := Parse(wire)
		if err != nil || h != v.h {
			t.Errorf("parsed %+v, %v", h, err)
		}
		p, payload, err := ParseProtocol(wire[n:])
		if err != nil || p != v.p {
			t.Errorf("parsed %+v, %v", p, err)
		}
		if got := AppendPlain(nil, h, p, payload); !bytes.Equal(got, wire) {
			t.Errorf("again %x", got)
		}
	}
}

// TestRecordedPackets opens and seals what a controller and nodes of another
// implementation said to each other. They write both node ids into headers.
func TestRecordedPackets(t *testing.T) {
	b, err := os.ReadFile("testdata/secure-packets.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Packets []struct {
			Packet, Key, Nonce, AAD, Plaintext string
			Header                             struct {
				Session  uint16
				Ctr      uint32
				Src, Dst string
				Ex       uint16
				Proto    uint16
				Op       uint8
				I, R     bool
				Ack      *uint32
			}
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Packets) != 24 {
		t.Fatalf("%d packets", len(doc.Packets))
	}
	for i, v := range doc.Packets {
		number := func(s string) uint64 {
			n, err := strconv.ParseUint(s, 0, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		wire := unhex(t, v.Packet)
		h, n, err := Parse(wire)
		if err != nil {
			t.Errorf("packet %d: %v", i, err)
			continue
		}
		want := Header{SessionID: v.Header.Session, Counter: v.Header.Ctr, Source: number(v.Header.Src), Destination: number(v.Header.Dst), HasSource: true, HasDestination: true}
		if h != want || hex.EncodeToString(wire[:n]) != v.AAD {
			t.Errorf("packet %d: header %+v of %d octets", i, h, n)
		}
		c := NewCipher([KeySize]byte(unhex(t, v.Key)), h.Source)
		plain, err := c.Open(nil, h, n, wire)
		if err != nil || hex.EncodeToString(plain) != v.Plaintext || hex.EncodeToString(c.nonce[:]) != v.Nonce {
			t.Errorf("packet %d: opened %x with nonce %x, %v", i, plain, c.nonce, err)
			continue
		}
		p, payload, err := ParseProtocol(plain)
		wantP := Protocol{Initiator: v.Header.I, Reliable: v.Header.R, Opcode: v.Header.Op, Exchange: v.Header.Ex, ID: v.Header.Proto}
		if v.Header.Ack != nil {
			wantP.HasAck, wantP.Ack = true, *v.Header.Ack
		}
		if err != nil || p != wantP {
			t.Errorf("packet %d: %+v, %v", i, p, err)
		}
		if got := c.Seal(nil, h, p, payload); !bytes.Equal(got, wire) {
			t.Errorf("packet %d: sealed again %x", i, got)
		}
	}
}
