package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"threadmap/diag/matter/cert"
)

// now is when the tests take place.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustIPK(t testing.TB, s string) Key {
	t.Helper()
	k, err := NewKey(unhex(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rootPub(t testing.TB, s string) [65]byte { return [65]byte(unhex(t, s)) }

const (
	// The example of the specification, which connectedhomeip tests too
	// (TestChipCryptoPAL, TestCASESession).
	specRoot = "044a9f42b1ca4840d37292bbc7f6a7e11e22200c976fc900dbc98a7a383a641cb8254a2e56d4e295a847943b4e3897c4a773e930277b4d9fbede8a052686bfacfa"
	// matter.js, FabricTest.
	matterjsRoot = "04d89eb7e3f3226d0918f4b85832457bb9981bca7aaef58c18fb5ec07525e472b2bd1617fb75ee41bd388f94ae6a6070efc896777516a5c54aff74ec0804cdde9d"
	// matter.js 0.17.9, a CASE handshake with keys of one repeated octet.
	caseRoot = "040217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed194a7debcb97712d2dda3ca85aa8765a56f45fc758599652f2897c65306e5794"
	caseRCAC = "1530010259022402013703271401000000cacacaca18260480228127260500f5de4c3706271401000000cacacaca18240701240801300941040217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed194a7debcb97712d2dda3ca85aa8765a56f45fc758599652f2897c65306e5794370a350129012402011824026030041433ca6bc5e920e6bec2a16ce07a70e8282bcd68d130051433ca6bc5e920e6bec2a16ce07a70e8282bcd68d118300b40af4257a7f23b1902344b7de61a28b9f23a4f9a624738de1d5b6dbb47c2c3e95f1ead1455de418bad912d56247010775eb8b5ac16363e18dd0266c9bcd656fd6118"
	caseNOC  = "1530010259052402013703271401000000cacacaca18260480228127260500f5de4c3706261169b60100271562d315d108c9062926160100fdff18240701240801300941045b36890dacbd7c9a96bb74a1ee28b3d2d75b72e09a20ef25cf8e6fd8a9f0350d0e14bed8d4682a34d83538bdff5b96e89a6666ec0db5745d02fa1210072df75a370a350128011824020136030402040118300414b6f147a6cbd774e3b5b9920172fdca31a6355bd230051433ca6bc5e920e6bec2a16ce07a70e8282bcd68d118300b408d8c1c9fddcd172fdf93c153c5accef359ae6e674f38b9121fc3933406e00cd1dfadaa2948b21b4b52931938b9dcfc419efa2e5222a4432bb493448f4caf6d7418"
)

func TestCompressedID(t *testing.T) {
	for _, tt := range []struct {
		root       string
		fabric, id uint64
	}{
		{specRoot, 0x2906C908D115D362, 0x87E1B004E235A130},
		{caseRoot, 0x2906C908D115D362, 0x25D7D127A7F150CB},
	} {
		if got := CompressedID(rootPub(t, tt.root), tt.fabric); got != tt.id {
			t.Errorf("got %016X, want %016X", got, tt.id)
		}
	}
}

func TestOperationalIPK(t *testing.T) {
	for _, tt := range []struct {
		epoch      string
		compressed uint64
		want       string
	}{
		// connectedhomeip, TestGroupOperationalCredentials.
		{"00000000000000000000000000000000", 0x87E1B004E235A130, "c5f2690187115150c356ad93b385bb0f"},
		{"101112131415161718191a1b1c1d1e1f", 0x87E1B004E235A130, "aed95695f375d2ce78556a41730c3f43"},
		{"202122232425262728292a2b2c2d2e2f", 0x87E1B004E235A130, "35ca346e5e24bbbe889cf4d35c5e820a"},
		{"4a71cdd7b2a3ca9024f9698a1f9b5f3d", 0x25D7D127A7F150CB, "d449ed8cd4b93b9e83bf367ad62c100f"},
	} {
		if got := OperationalIPK(mustIPK(t, tt.epoch), tt.compressed).Bytes(); hex.EncodeToString(got) != tt.want {
			t.Errorf("%s: got %x, want %s", tt.epoch, got, tt.want)
		}
	}
	if !OperationalIPK(Key{}, 1).IsZero() {
		t.Error("no epoch key gives a key")
	}
}

func TestDestinationID(t *testing.T) {
	for _, tt := range []struct {
		ipk, root, random string
		fabric, node      uint64
		want              string
	}{
		{"9bc61cd9c62a2df6d64dfcaa9dc472d4", specRoot, "7e171231568dfa17206b3accf8faec2f4d21b580113196f47c7c4deb810a73dc", 0x2906C908D115D362, 0xCD5544AA7B13EF14,
			"dc35dd5fc9134cc5544538c9c3fc4297c1ec3370c839136a80e10796451d4c53"},
		{"6624ed691e9b53b1f286d98117918c3a", matterjsRoot, "0b2a71876d3d090d37cb5286168ab9be0d2e7e0ccbedc1f55331b8a8051ee02f", 1, 0x55,
			"b1ce1a45fd930831203024286cd609ec4f9bbe71ed8e10c2c4cab0be49a87e8a"},
		{"d449ed8cd4b93b9e83bf367ad62c100f", caseRoot, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf", 0x2906C908D115D362, 0x1122334455667788,
			"d97853ed24329a91b8c244ccc2cd227ed843b62346292e88c9135d84fb521236"},
		{"d449ed8cd4b93b9e83bf367ad62c100f", caseRoot, "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", 0x2906C908D115D362, 0x1122334455667788,
			"d4fa5a780712db687e55005a055b2762fe456df7950774ab09fbcc8942ea3142"},
	} {
		if got := DestinationID(mustIPK(t, tt.ipk), rootPub(t, tt.root), unhex(t, tt.random), tt.fabric, tt.node); hex.EncodeToString(got[:]) != tt.want {
			t.Errorf("got %x, want %s", got, tt.want)
		}
	}
}

func testKey(t testing.TB, octet byte) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{octet}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestMemberOfOthers is a controller whose credentials another stack made.
func TestMemberOfOthers(t *testing.T) {
	root, err := cert.Parse(unhex(t, caseRCAC))
	if err != nil {
		t.Fatal(err)
	}
	good := Credentials{Root: root, NOC: unhex(t, caseNOC), PrivateKey: testKey(t, 0x44), IPK: mustIPK(t, "d449ed8cd4b93b9e83bf367ad62c100f")}
	m, err := NewMember(good, now)
	if err != nil {
		t.Fatal(err)
	}
	if m.FabricID != 0x2906C908D115D362 || m.NodeID != 0x1B669 || len(m.CATs) != 1 || m.CATs[0] != 0xFFFD0001 || m.ICAC != nil || m.CompressedID() != 0x25D7D127A7F150CB {
		t.Errorf("got %v, %+v", m, *m)
	}
	if got, want := m.InstanceName(0x1122334455667788), "25D7D127A7F150CB-1122334455667788"; got != want {
		t.Errorf("instance name %s, want %s", got, want)
	}
	if got, want := m.String(), "25D7D127A7F150CB-000000000001B669"; got != want {
		t.Errorf("its own %s, want %s", got, want)
	}
	random := unhex(t, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf")
	if got := m.DestinationID(random, 0x1122334455667788); hex.EncodeToString(got[:]) != "d97853ed24329a91b8c244ccc2cd227ed843b62346292e88c9135d84fb521236" {
		t.Errorf("destination id %x", got)
	}
	sig, err := m.Sign([]byte("message"))
	if err != nil || !cert.Verify(&testKey(t, 0x44).PublicKey, []byte("message"), sig[:]) {
		t.Errorf("signature %x, %v", sig, err)
	}

	for _, tt := range []struct {
		name string
		edit func(*Credentials)
		at   time.Time
		want string
	}{
		{"no root", func(c *Credentials) { c.Root = nil }, now, "no root certificate"},
		{"no NOC", func(c *Credentials) { c.NOC = nil }, now, "node certificate"},
		{"no key", func(c *Credentials) { c.PrivateKey = nil }, now, "not that of the node certificate"},
		{"another key", func(c *Credentials) { c.PrivateKey = testKey(t, 0x33) }, now, "not that of the node certificate"},
		{"no IPK", func(c *Credentials) { c.IPK = Key{} }, now, "no identity protection key"},
		{"an ICAC that isn't one", func(c *Credentials) { c.ICAC = c.NOC }, now, "intermediate certificate"},
		{"too late", func(*Credentials) {}, time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), "expired"},
	} {
		c := good
		tt.edit(&c)
		if m, err := NewMember(c, tt.at); err == nil || m != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", tt.name, err, tt.want)
		}
	}
}

// TestNew: a fabric of one's own, whose nodes know each other.
func TestNew(t *testing.T) {
	a, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := a.Member()
	if m.FabricID == 0 || m.NodeID < cert.MinNodeID || m.NodeID > cert.MaxNodeID || m.FabricID != a.FabricID() {
		t.Errorf("fabric %016X, node %016X", m.FabricID, m.NodeID)
	}
	// Valid today, in a year that TLV can't express an end for, and on a device
	// that woke up in 2020.
	for _, at := range []time.Time{now, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)} {
		p, err := cert.VerifyNode(a.Root(), m.NOC, m.ICAC, at)
		if err != nil || p.NodeID != m.NodeID || p.FabricID != m.FabricID {
			t.Errorf("at %v: %+v, %v", at, p, err)
		}
	}
	// A device asks for its certificate.
	device := testKey(t, 0x33)
	csr, err := cert.NewCSR(device)
	if err != nil {
		t.Fatal(err)
	}
	public, err := cert.ParseCSR(csr)
	if err != nil {
		t.Fatal(err)
	}
	id := a.NewNodeID()
	noc, err := a.IssueNOC(public, id)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cert.VerifyNode(a.Root(), noc, nil, now)
	if err != nil || p.NodeID != id || p.FabricID != a.FabricID() || !p.PublicKey.Equal(&device.PublicKey) {
		t.Errorf("device: %+v, %v", p, err)
	}
	// It derives the same keys and names from what AddNOC gives it.
	ipk := OperationalIPK(a.EpochKey(), CompressedID(a.Root().PublicKey, p.FabricID))
	d, err := NewMember(Credentials{Root: a.Root(), NOC: noc, PrivateKey: device, IPK: ipk}, now)
	if err != nil {
		t.Fatal(err)
	}
	random := bytes.Repeat([]byte{7}, 32)
	if m.DestinationID(random, id) != d.DestinationID(random, d.NodeID) || m.InstanceName(id) != d.String() {
		t.Error("controller and device disagree")
	}
	if m.DestinationID(random, id) == d.DestinationID(random, m.NodeID) {
		t.Error("the destination id does not depend on the node")
	}

	n, err := a.NewNode(5)
	if err != nil || n.NodeID != 5 || n.CompressedID() != m.CompressedID() || !n.IPK.Equal(m.IPK) {
		t.Errorf("NewNode: %v, %v", n, err)
	}
	if sig, err := n.Sign([]byte("m")); err != nil {
		t.Error(err)
	} else if p, err := cert.VerifyNode(a.Root(), n.NOC, nil, now); err != nil || !cert.Verify(p.PublicKey, []byte("m"), sig[:]) {
		t.Errorf("NewNode signs with another key than its certificate's: %v", err)
	}
	for _, id := range []uint64{0, m.NodeID, cert.MaxNodeID + 1} {
		if _, err := a.IssueNOC(public, id); err == nil {
			t.Errorf("node id %016X is issued", id)
		}
	}
	if _, err := a.IssueNOC(nil, 9); err == nil {
		t.Error("a certificate for no key")
	}
	if _, err := New(Config{NodeID: 1<<64 - 1}); err == nil {
		t.Error("a fabric whose authority has a group's node id")
	}

	// Two fabrics of one name have nothing in common.
	b, err := New(Config{FabricID: a.FabricID(), NodeID: m.NodeID})
	if err != nil {
		t.Fatal(err)
	}
	if b.Member().CompressedID() == m.CompressedID() || b.EpochKey().Equal(a.EpochKey()) || b.Root().PublicKey == a.Root().PublicKey {
		t.Error("two fabrics share a key")
	}
	if _, err := cert.VerifyNode(b.Root(), m.NOC, nil, now); err == nil {
		t.Error("a node of one fabric is one of the other")
	}
}

// TestNewGiven: what a Config says is what the fabric is.
func TestNewGiven(t *testing.T) {
	c := Config{FabricID: 0x2906C908D115D362, RootID: 0xCACACACA00000001, NodeID: 0x1B669, EpochKey: mustIPK(t, "4a71cdd7b2a3ca9024f9698a1f9b5f3d"), RootKey: testKey(t, 0x11), PrivateKey: testKey(t, 0x44)}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	m := a.Member()
	if m.CompressedID() != 0x25D7D127A7F150CB || m.NodeID != c.NodeID || hex.EncodeToString(m.IPK.Bytes()) != "d449ed8cd4b93b9e83bf367ad62c100f" || a.Root().Subject.IDs(cert.RCACID)[0] != c.RootID {
		t.Errorf("got %v", m)
	}
}

func newFile(t testing.TB) (*Authority, []byte) {
	t.Helper()
	a, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.File()
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestFile(t *testing.T) {
	a, content := newFile(t)
	b, err := Open(content, now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.File()
	if err != nil || !bytes.Equal(again, content) {
		t.Errorf("%v: comes back as\n%s, was\n%s", err, again, content)
	}
	if !b.Root().Equal(a.Root()) || b.Member().String() != a.Member().String() || !b.Member().IPK.Equal(a.Member().IPK) || !b.EpochKey().Equal(a.EpochKey()) {
		t.Errorf("got %v, want %v", b, a)
	}
	noc, err := b.IssueNOC(&testKey(t, 0x33).PublicKey, 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.VerifyNode(a.Root(), noc, nil, now); err != nil {
		t.Errorf("issued after Open: %v", err)
	}
	if len(content) > maxFile/2 {
		t.Errorf("%d octets", len(content))
	}
}

func TestOpenRefuses(t *testing.T) {
	_, content := newFile(t)
	_, other := newFile(t)
	fields := func(b []byte) map[string]any {
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	edit := func(name string, value any) []byte {
		m := fields(content)
		if value == nil {
			delete(m, name)
		} else {
			m[name] = value
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	o := fields(other)
	for _, tt := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"nothing", nil, "not a file with"},
		{"no JSON", []byte("root_key = 1"), "not a file with"},
		{"a list", []byte("[]"), "not a file with"},
		{"too long", bytes.Repeat([]byte(" "), maxFile+1), "is the most"},
		{"another format", edit("format", "threadmap-map"), "not a file with"},
		{"a later version", edit("version", 2), "has version 2, and this threadmap knows 1"},
		{"no version", edit("version", nil), "has version 0"},
		{"a field more", edit("vendor", 1), "fields that version 1 does not have"},
		{"something behind it", append(bytes.Clone(content), "{}"...), "not a file with"},
		{"half of it", content[:len(content)/2], "not a file with"},
		{"another root", edit("root_certificate", o["root_certificate"]), "the root key is not that"},
		{"another root key", edit("root_key", o["root_key"]), "the root key is not that"},
		{"another NOC", edit("node_certificate", o["node_certificate"]), "issued by another"},
		{"another node key", edit("node_key", o["node_key"]), "not that of the node certificate"},
		{"another fabric id", edit("fabric_id", o["fabric_id"]), "not those of node_certificate"},
		{"another node id", edit("node_id", o["node_id"]), "not those of node_certificate"},
		{"no root certificate", edit("root_certificate", nil), "root_certificate: not hexadecimal"},
		{"no root key", edit("root_key", nil), "root_key: not hexadecimal"},
		{"no epoch key", edit("ipk_epoch_key", nil), "ipk_epoch_key: not hexadecimal"},
		{"a short epoch key", edit("ipk_epoch_key", "00"), "ipk_epoch_key: 1 octets, not 16"},
		{"a root key of zero", edit("root_key", strings.Repeat("00", 32)), "not a private key"},
		{"a short root key", edit("root_key", strings.Repeat("11", 31)), "not a private key"},
		{"a broken certificate", edit("root_certificate", "1518"), "root_certificate: cert: not a Matter certificate"},
		{"no digits", edit("node_key", "zz"), "node_key: not hexadecimal"},
		{"a number for a key", edit("node_key", 5), "fields that version 1 does not have"},
	} {
		a, err := Open(tt.content, now)
		if err == nil || a != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", tt.name, err, tt.want)
			continue
		}
		m := fields(content)
		for _, secret := range []string{"root_key", "node_key", "ipk_epoch_key"} {
			for _, s := range []any{m[secret], o[secret]} {
				if strings.Contains(err.Error(), s.(string)) {
					t.Errorf("%s: the error shows %s: %v", tt.name, secret, err)
				}
			}
		}
	}
	for n := range len(content) - 1 { // without the newline it is whole
		if _, err := Open(content[:n], now); err == nil {
			t.Fatalf("%d of %d octets are a fabric", n, len(content))
		}
	}
}

// FuzzOpen: whatever opens is written back as a fabric that opens.
// (Run it with -fuzzminimizetime 1x: the seed is another one each time, and
// minimizing it takes for ever.)
func FuzzOpen(f *testing.F) {
	_, content := newFile(f)
	f.Add(content)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Open(b, now)
		if err != nil {
			return
		}
		again, err := a.File()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(again, now); err != nil {
			t.Fatal(err)
		}
	})
}
