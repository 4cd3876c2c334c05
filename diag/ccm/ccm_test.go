package ccm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"strings"
	"testing"

	pion "github.com/pion/dtls/v3/pkg/crypto/ccm"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newAEAD(t testing.TB, key []byte, tag, nonce int) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(block, tag, nonce)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// RFC 3610, section 8 (its names), and NIST SP 800-38C, appendix C.
var vectors = []struct {
	name                                      string
	tag                                       int
	key, nonce, additional, plaintext, sealed string
}{
	{"packet vector 1", 8, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000003020100a0a1a2a3a4a5", "0001020304050607",
		"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
		"588c979a61c663d2f066d0c2c0f989806d5f6b61dac384 17e8d12cfdf926e0"},
	{"packet vector 2", 8, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000004030201a0a1a2a3a4a5", "0001020304050607",
		"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3b a091d56e10400916"},
	{"packet vector 3", 8, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000005040302a0a1a2a3a4a5", "0001020304050607",
		"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
		"51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da859657 4adaa76fbd9fb0c5"},
	{"packet vector 7", 10, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000009080706a0a1a2a3a4a5", "0001020304050607",
		"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
		"0135d1b2c95f41d5d1d4fec185d166b8094e999dfed96c 048c56602c97acbb7490"},
	{"packet vector 13", 8, "d7828d13b2b0bdc325a76236df93cc6b", "00412b4ea9cdbe3c9696766cfa", "0be1a88bace018b1",
		"08e8cf97d820ea258460e96ad9cf5289054d895ceac47c",
		"4cb97f86a2a4689a877947ab8091ef5386a6ffbdd080f8e78cf7cb0cddd7b3"},
	{"800-38C example 1", 4, "404142434445464748494a4b4c4d4e4f", "10111213141516", "0001020304050607",
		"20212223", "7162015b 4dac255d"},
	{"800-38C example 2", 6, "404142434445464748494a4b4c4d4e4f", "1011121314151617", "000102030405060708090a0b0c0d0e0f",
		"202122232425262728292a2b2c2d2e2f", "d2a1f0e051ea5f62081a7792073d593d 1fc64fbfaccd"},
	{"800-38C example 3", 8, "404142434445464748494a4b4c4d4e4f", "101112131415161718191a1b", "000102030405060708090a0b0c0d0e0f10111213",
		"202122232425262728292a2b2c2d2e2f3031323334353637", "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5 484392fbc1b09951"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			nonce, ad, p, want := unhex(t, v.nonce), unhex(t, v.additional), unhex(t, v.plaintext), unhex(t, v.sealed)
			a := newAEAD(t, unhex(t, v.key), v.tag, len(nonce))
			if a.NonceSize() != len(nonce) || a.Overhead() != v.tag {
				t.Errorf("sizes %d, %d", a.NonceSize(), a.Overhead())
			}
			if got := a.Seal([]byte("head"), nonce, p, ad); !bytes.Equal(got, append([]byte("head"), want...)) {
				t.Errorf("sealed\n%x, want\n%x", got, want)
			}
			got, err := a.Open([]byte("head"), nonce, want, ad)
			if err != nil || !bytes.Equal(got, append([]byte("head"), p...)) {
				t.Errorf("opened %x, %v", got, err)
			}
		})
	}
}

// Every bit counts: of the ciphertext, the tag, the nonce and the additional data.
func TestForgeries(t *testing.T) {
	for _, v := range vectors {
		nonce, ad, sealed := unhex(t, v.nonce), unhex(t, v.additional), unhex(t, v.sealed)
		a := newAEAD(t, unhex(t, v.key), v.tag, len(nonce))
		for _, part := range [][]byte{nonce, ad, sealed} {
			for bit := range 8 * len(part) {
				part[bit/8] ^= 1 << (bit % 8)
				dst := make([]byte, 0, 64)
				if got, err := a.Open(dst, nonce, sealed, ad); err == nil || got != nil {
					t.Fatalf("%s: a forgery was accepted", v.name)
				}
				if !bytes.Equal(dst[:len(sealed)-v.tag], make([]byte, len(sealed)-v.tag)) {
					t.Fatalf("%s: unauthenticated plaintext was left in the buffer", v.name)
				}
				part[bit/8] ^= 1 << (bit % 8)
			}
		}
		for n := range sealed {
			if _, err := a.Open(nil, nonce, sealed[:n], ad); err == nil {
				t.Fatalf("%s: %d of %d octets were accepted", v.name, n, len(sealed))
			}
		}
	}
}

func TestInPlace(t *testing.T) {
	a := newAEAD(t, make([]byte, 16), TagSizeMatter, NonceSizeMatter)
	nonce := make([]byte, NonceSizeMatter)
	p := []byte("the output begins where the input does")
	b := append(make([]byte, 0, 100), p...)
	b = a.Seal(b[:0], nonce, b, nil)
	if !bytes.Equal(b, a.Seal(nil, nonce, p, nil)) {
		t.Error("sealing in place differs")
	}
	if b, err := a.Open(b[:0], nonce, b, nil); err != nil || !bytes.Equal(b, p) {
		t.Errorf("%q, %v", b, err)
	}
}

func TestNewRefuses(t *testing.T) {
	block, _ := aes.NewCipher(make([]byte, 16))
	for _, size := range [][2]int{{3, 12}, {5, 12}, {0, 12}, {18, 12}, {-4, 12}, {8, 6}, {8, 14}, {8, -1}} {
		if _, err := New(block, size[0], size[1]); err == nil {
			t.Errorf("tag %d, nonce %d: accepted", size[0], size[1])
		}
	}
}

func TestLongestMessage(t *testing.T) {
	a := newAEAD(t, make([]byte, 16), TagSizeMatter, NonceSizeMatter)
	nonce, p := make([]byte, NonceSizeMatter), make([]byte, 65535)
	sealed := a.Seal(nil, nonce, p, nil)
	if got, err := a.Open(nil, nonce, sealed, nil); err != nil || !bytes.Equal(got, p) {
		t.Error(err)
	}
	// One octet more does not fit into the two octets of its length.
	if _, err := a.Open(nil, nonce, append(sealed, 0), nil); err == nil {
		t.Error("65536 octets were accepted")
	}
	for what, f := range map[string]func(){
		"plaintext":       func() { a.Seal(nil, nonce, make([]byte, 65536), nil) },
		"additional data": func() { a.Seal(nil, nonce, nil, make([]byte, 0xff00)) },
		"nonce":           func() { a.Seal(nil, nonce[1:], nil, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of wrong length was sealed", what)
				}
			}()
			f()
		}()
	}
}

func TestNoAllocations(t *testing.T) {
	a := newAEAD(t, make([]byte, 16), TagSizeDTLS, NonceSizeDTLS)
	nonce, ad, buf := make([]byte, NonceSizeDTLS), make([]byte, 13), make([]byte, 200, 300)
	if n := testing.AllocsPerRun(100, func() {
		out := a.Seal(buf[:0], nonce, buf, ad)
		if _, err := a.Open(out[:0], nonce, out, ad); err != nil {
			t.Fatal(err)
		}
	}); n > 0.5 { // a garbage collection may empty the pool
		t.Errorf("%v allocations", n)
	}
}

// FuzzAgainstPion compares with an independent implementation.
func FuzzAgainstPion(f *testing.F) {
	for i, v := range vectors {
		f.Add(unhex(f, v.key), unhex(f, v.nonce), unhex(f, v.additional), unhex(f, v.plaintext), byte(v.tag), byte(i))
	}
	f.Add(make([]byte, 32), make([]byte, 13), []byte(nil), []byte(nil), byte(16), byte(0))
	f.Fuzz(func(t *testing.T, key, nonce, ad, p []byte, tag, flip byte) {
		block, err := aes.NewCipher(key)
		// pion answers some sizes that RFC 3610 knows with an error, too.
		other, otherErr := newPion(block, err, int(tag), len(nonce))
		if err != nil {
			return
		}
		a, err := New(block, int(tag), len(nonce))
		if err != nil || otherErr != nil {
			if (err == nil) != (otherErr == nil) {
				t.Fatalf("tag %d, nonce %d: %v, pion: %v", tag, len(nonce), err, otherErr)
			}
			return
		}
		if len(p) > 65535 || len(ad) > maxAdditional {
			return
		}
		sealed := a.Seal(nil, nonce, p, ad)
		if want := other.Seal(nil, nonce, p, ad); !bytes.Equal(sealed, want) {
			t.Fatalf("%x, pion: %x", sealed, want)
		}
		if got, err := a.Open(nil, nonce, sealed, ad); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("%x, %v", got, err)
		}
		bit := int(flip) % (8 * len(sealed))
		sealed[bit/8] ^= 1 << (bit % 8)
		if _, err := a.Open(nil, nonce, sealed, ad); err == nil {
			t.Fatal("a forgery was accepted")
		}
	})
}

func newPion(block cipher.Block, err error, tag, nonce int) (cipher.AEAD, error) {
	if err != nil {
		return nil, err
	}
	return pion.NewCCM(block, tag, nonce)
}

func BenchmarkSeal(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"40", 40}, {"200", 200}, {"1232", 1232}} {
		b.Run(size.name, func(b *testing.B) {
			a := newAEAD(b, make([]byte, 16), TagSizeMatter, NonceSizeMatter)
			nonce, ad, p, out := make([]byte, NonceSizeMatter), make([]byte, 24), make([]byte, size.n), make([]byte, 0, 1300)
			b.SetBytes(int64(size.n))
			b.ReportAllocs()
			for b.Loop() {
				out = a.Seal(out[:0], nonce, p, ad)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	a := newAEAD(b, make([]byte, 16), TagSizeMatter, NonceSizeMatter)
	nonce, ad, out := make([]byte, NonceSizeMatter), make([]byte, 24), make([]byte, 0, 1300)
	sealed := a.Seal(nil, nonce, make([]byte, 1232), ad)
	b.SetBytes(1232)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Open(out, nonce, sealed, ad); err != nil {
			b.Fatal(err)
		}
	}
}
