package dump

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// announced prints what a listing said of a node.
func announced(r diag.Report) string {
	ba, _ := r.BorderAgent.Get()
	return fmt.Sprintf("%s xp %s net %q names %v hosts %v at %v agent %v pt %v id %s", who(r), r.Network.ExtPANID, r.Network.Name, r.Names, r.Hosts, r.Addresses, ba.Endpoints, r.Leader.PartitionID, r.BorderAgentID)
}

const avahiTXT = `"sq=y" "pt=Q\165\000c" "at=\000\000\000\000\000\001\000\000" "sb=\000\000\007\177" "xa=\014\001\002\003\004\005\006\007" "tv=1.3.0" "xp=\017\017\017\017\"\"\"\"" "nn=Home \\ 1; 2" "vn=OpenThread" "id=\001\002\003\004\005\006\007\008\009\010\011\012\013\014\015\016" "rv=1"`

const dnssdLookup = `Lookup OT #0607._meshcop._udp.local
DATE: ---Thu 02 Jun 2022---
 9:30:40.857  ...STARTING...
 9:30:41.028  OT\032#0607._meshcop._udp.local. can be reached at pi.local.:49154 (interface 2)
 rv=1 id=\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x09\\x0A\\x0B\\x0C\\x0D\\x0E\\x0F\\x10 vn=OpenThread nn=Home\ \\\\\ 1\;\ 2 xp=\\x11\\x11\\x11\\x11\"\"\"\" tv=1.3.0 xa=\\x0E\\x01\\x02\\x03\\x04\\x05\\x06\\x07 sb=\\x00\\x00\\x07\\xB1 pt=Q\\xA5\\x00c
`

const dnssdAddresses = `14:21:29.486  Add     3  3 pi.local. FD00:0000:0000:0000:0000:0000:0000:0007%<0>  120
14:21:29.486  Add     3  3 pi.local. 192.0.2.7  120
`

const zeroconfLog = `2026-07-01 11:09:12.573 DEBUG (MainThread) [homeassistant.components.thread.discovery] _add_update_service OT #0607._meshcop._udp.local. AsyncServiceInfo(type='_meshcop._udp.local.', name='OT #0607._meshcop._udp.local.', addresses=[b'\xc0\x00\x02\x07', b'\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07'], port=49154, weight=0, priority=0, server='pi.local.', properties={b'rv': b'1', b'dn': None, b'id': b'\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10', b'nn': b'Home \\ 1; 2', b'xp': b'\x11\x11\x11\x11""""', b'tv': b'1.3.0', b'xa': b'\x0e\x01\x02\x03\x04\x05\x06\x07', b'sb': b'\x00\x00\x07\xb1', b'pt': b'Q\xa5\x00c'}, interface_index=None)
`

// The same border router, in the words of each program, is one node, with the
// same facts. dns-sd has addresses only in answers of their own.
func TestAnnouncementsInAnyDress(t *testing.T) {
	resolved := func(iface, addr string) string {
		return "=  " + iface + " OT #0607                  _meshcop._udp        local\n   hostname = [pi.local]\n   address = [" + addr + "]\n   port = [49154]\n   txt = [" + avahiTXT + "]\n"
	}
	for name, text := range map[string]string{
		"avahi-browse -r": "$ avahi-browse -r _meshcop._udp\n+  wlan0 IPv4 OT #0607        _meshcop._udp        local\n" +
			resolved("wlan0 IPv6", "fd00::7") + resolved("wlan0 IPv4", "192.0.2.7"),
		"avahi-browse -rp": `+;wlan0;IPv4;OT\032\0350607;_meshcop._udp;local` + "\n" +
			`=;wlan0;IPv4;OT\032\0350607;_meshcop._udp;local;pi.local;192.0.2.7;49154;` + avahiTXT + "\n" +
			`=;eth0;IPv6;OT\032\0350607;_meshcop._udp;local;pi.local;fd00::7;49154;` + avahiTXT + "\n",
		"dns-sd -L and -G":             dnssdLookup + dnssdAddresses,
		"dns-sd -L, backslashes eaten": strings.ReplaceAll(dnssdLookup, `\\x`, `\x`) + dnssdAddresses,
		"dns-sd -Z": `OT\032\0350607._meshcop._udp                SRV     0 0 49154 pi.local. ; Replace with unicast FQDN of target host` + "\n" +
			`OT\032\0350607._meshcop._udp                TXT     ` + avahiTXT + "\n" + dnssdAddresses,
		"a log of Home Assistant": strings.Repeat(zeroconfLog, 3),
	} {
		t.Run(name, func(t *testing.T) {
			s := paste(t, text)
			if len(s.Reports) != 1 || len(s.Problems) != 0 {
				t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
			}
			const want = `0e01020304050607(2) leader xp 1111111122222222 net "Home \\ 1; 2" names [{OT #0607 instance}] hosts [pi] at [192.0.2.7 fd00::7] agent [192.0.2.7:49154 [fd00::7]:49154] pt 1369768035 id 0102030405060708090a0b0c0d0e0f10`
			if got := announced(s.Reports[0]); !strings.HasSuffix(got, want) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if v := s.Reports[0].ThreadVersion; v != diag.Some(uint16(4)) {
				t.Errorf("Thread version %v", v)
			}
		})
	}
}

// Octets over 127 are lost in terminals: what is left is no address.
func TestAnnouncementsThatLostOctets(t *testing.T) {
	line := func(xa string) string {
		return `=;wlan0;IPv4;OT;_meshcop._udp;local;pi.local;192.0.2.7;49154;"` + xa + `" "nn=Home" "tv=1.3.0"` + "\n"
	}
	for name, xa := range map[string]string{
		"gone":           `xa=&f9F\015\007`,
		"replaced":       "xa=\uFFFDabcdefg",
		"question marks": "xa=?abc?efg",
	} {
		s := paste(t, line(xa))
		if len(s.Reports) != 1 || s.Reports[0].Own != nil || s.Reports[0].Network.Name != "Home" {
			t.Errorf("%s: %+v", name, s.Reports)
		}
		if p := problems(s); len(p) != 1 || !strings.HasPrefix(p[0], "line 1: TXT record lost octets") {
			t.Errorf("%s: problems %v", name, p)
		}
	}
	s := paste(t, line("xa=\x92\xa5\xb1K\x89P\x9a\xa5")) // kept as they are
	if got := who(s.Reports[0]); !strings.Contains(got, "92a5b14b89509aa5(2)") || len(s.Problems) != 0 {
		t.Errorf("%s, %v", got, s.Problems)
	}
}

// What was browsed but not resolved has a name; a command line in the same
// paste is read as well; words in a story are no announcements.
func TestAnnouncementsBrowsedOnly(t *testing.T) {
	s := paste(t, "Timestamp     A/R    Flags  if Domain               Service Type         Instance Name\n"+
		"13:31:03.198  Add        2   6 local.               _meshcop._udp.       OT BorderRouter (#3991)\n> router table\n"+smallTable)
	if len(s.Reports) != 2 || fmt.Sprint(s.Reports[0].Names) != "[{OT BorderRouter (#3991) instance}]" || len(s.Reports[1].Routes) != 3 {
		t.Errorf("%+v", s.Reports)
	}
	if _, err := Read("x", []byte("I ran avahi-browse _meshcop._udp and it can be reached at home."), time.Time{}); err == nil {
		t.Error("a story was read")
	}
}

// A Matter node is who its host and its instance say; a TREL peer has ids in
// its TXT record.
func TestAnnouncementsOfDevices(t *testing.T) {
	s := paste(t, `=   eth0 IPv6 87E1B004E235A130-0000000000000012     _matter._tcp         local
   hostname = [0E0102030405060A.local]
   address = [fd46::1907]
   port = [5540]
   txt = ["T=0" "SAI=300" "SII=5000"]
=;eth0;IPv6;0e0102030405060b;_trel._udp;local;pi.local;fd00::9;5860;"xp=\017\017\017\0173333" "xa=\014\001\002\003\004\005\006\011"
`)
	var got []string
	for _, r := range s.Reports {
		got = append(got, fmt.Sprintf("%s %v %s %v", who(r), r.Matter, r.Network.ExtPANID, r.Addresses))
	}
	same(t, "nodes", got, []string{
		"? 0e0102030405060a(5) [{9791300599901692208 18}]  [fd46::1907]",
		"? 0e0102030405060b(2) [] 1111111133333333 []",
	})
}
