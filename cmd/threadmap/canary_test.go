package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// A canary is a key that must be seen nowhere but, where may says so, in the file
// of credentials.
type canary struct {
	name    string
	needles [][]byte
	may     bool
}

func newCanary(name string, key []byte, may bool) canary {
	c := canary{name: name, may: may}
	spaced := fmt.Sprintf("% x", key)
	for _, form := range []string{
		string(key), hex.EncodeToString(key), spaced, strings.ReplaceAll(spaced, " ", ":"), strings.ReplaceAll(spaced, " ", "-"),
		base64.StdEncoding.EncodeToString(key[:len(key)/3*3]), base64.RawURLEncoding.EncodeToString(key[:len(key)/3*3]), fmt.Sprint(key), fmt.Sprintf("%q", key), fmt.Sprintf("%#v", key),
	} {
		c.needles = append(c.needles, bytes.ToLower([]byte(form)))
	}
	// A part of it is too much, too.
	c.needles = append(c.needles, bytes.ToLower(key[:len(key)*3/4]), []byte(hex.EncodeToString(key[len(key)/4:])))
	return c
}

func (c canary) in(b []byte) bool {
	b = bytes.ToLower(b)
	for _, n := range c.needles {
		if bytes.Contains(b, n) {
			return true
		}
	}
	return false
}

// TestKeysAreNowhere: no verb, on no way through it, lets a key out: not on its
// streams, and into no file but the one for them.
func TestKeysAreNowhere(t *testing.T) {
	t.Parallel()
	lab := mesh.Lab(0)
	passphrase := "threadmap-lab-pass" // its PSKc is the lab's
	elsewhere, err := pskc.Derive([]byte("correct horse battery"), 0xf1, "Elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	canaries := []canary{
		newCanary("network key", lab.NetworkKey[:], false), newCanary("PSKc", lab.PSKc[:], true), newCanary("passphrase", []byte(passphrase), false),
		newCanary("another passphrase", []byte("correct horse battery"), false), newCanary("another PSKc", elsewhere.Bytes(), true),
		newCanary("code", []byte(rightCode), false), newCanary("wrong code", []byte(wrongCode), false),
		newCanary("code that is typed wrong", []byte("475689123"), false), newCanary("code in groups", []byte("475-689-122"), false),
	}
	o := atOnce()
	w := startWorld(t, &mesh.Home{Name: "Lab", Networks: []*mesh.Mesh{lab}}, o)
	coder, codeAt := serveAgent(t, lab, borderagent.Options{EphemeralCode: rightCode, Settle: -1})
	codes := announceHome(t, lab, 1, map[string]netip.AddrPort{"LabBR": codeAt})
	_, taken := serveAgent(t, lab, borderagent.Options{SecondCommissioner: "phone", Steering: []byte{0xff}})

	u := newUser(t)
	work := t.TempDir()
	file := func(name, content string) string {
		f := filepath.Join(t.TempDir(), name) // not where is looked
		if err := os.WriteFile(f, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	dataset, key, mdns := datasetOf(lab), hex.EncodeToString(lab.PSKc[:]), w.MDNS().String()
	look := func(args []string, out, errs string) {
		t.Helper()
		for _, c := range canaries {
			if c.in([]byte(out)) || c.in([]byte(errs)) {
				t.Errorf("%q tells the %s: %s%s", args, c.name, out, errs)
			}
			for _, dir := range []string{u.dir, work} {
				err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
					if err != nil || !d.Type().IsRegular() {
						return err
					}
					b, err := os.ReadFile(p)
					if c.in(b) && !(c.may && strings.HasPrefix(filepath.Base(p), "credentials.json")) || c.in([]byte(p)) {
						t.Errorf("after %q the %s is in %s", args, c.name, p)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	out := func(ext string) string { return filepath.Join(work, "map"+ext) }
	net := lab.ExtPANID.String()
	for _, x := range []struct {
		want  int
		env   string // of threadEnv
		stdin string
		args  []string
	}{
		// What goes well.
		{exitDone, "", dataset, []string{"login", "thread", "--file", "-"}},
		{exitDone, "", "", []string{"login", "thread", "--file", file("dataset", dataset+"\r\nDone\r\n"), "--json"}},
		{exitDone, key, "", []string{"login", "thread", "--network", net}},
		{exitDone, passphrase, "", []string{"login", "thread", "--network", net, "--name", lab.Name}},
		{exitDone, "", "", []string{"login", "list", "--json"}},
		{exitDone, "", "", []string{"scan", "--ask", mdns, "-o", out(".svg"), "-o", out(".json"), "-o", out(".cbor"), "-o", out(".dot"), "-o", out(".csv"), "-o", out(".txt")}},
		{exitDone, "", "", []string{"scan", "--ask", mdns, "--json", "--ask-sleepy", "--source", "thread"}},
		{exitDone, "", "", []string{"render", "--json"}},
		{exitDone, "", "", []string{"discover", "--ask", mdns, "--json"}},
		{exitDone, "", "", []string{"report", "--border-routers", "--ask", mdns}},
		{exitDone, "", "", []string{"report", "--border-routers", "--ask", mdns, "--json"}},
		{exitDone, "", "", []string{"report", "--json"}},
		{exitDone, "", "", []string{"report", "--redact", "-o", out(".md"), "-o", out(".cbor")}},
		{exitDone, "", "", []string{"why", "0x5c00", "--json"}},
		{exitDone, "", "", []string{"doctor", "--json"}},
		{exitDone, "", "", []string{"diff", "--since", "1h", "--json"}},
		{exitDone, "", "", []string{"diff", "--ask", mdns}},
		// What does not.
		{exitPartial, "", "", []string{"scan", "--source", "thread", "--agent", taken.String(), "--json"}},
		{exitPartial, "", "", []string{"report", "--border-routers", "--agent", taken.String()}},
		{exitUsage, "", "", []string{"login", "thread", key}},
		{exitUsage, "", "", []string{"login", "thread", dataset}},
		{exitUsage, "", "", []string{"scan", rightCode}},
		{exitUsage, "", "", []string{"scan", "--code", "475-689-122"}},
		{exitUsage, "", "", []string{"scan", "--code=" + rightCode}},
		{exitUsage, "", "", []string{"scan", "--color", rightCode}},
		{exitUsage, "", "", []string{"report", "--border-routers", rightCode}},
		{exitUsage, "", "", []string{"scan", "--agent", "thread://" + key + "@127.0.0.1:1"}},
		{exitUsage, "", "", []string{"login", "thread", "--network", key}},
		{exitUsage, rightCode, "", []string{"login", "thread", "--network", net}},
		{exitFailed, "475689123", "", []string{"login", "thread"}},
		{exitFailed, "", "475689123", []string{"scan", "--code-file", "-", "--ask", codes}},
		{exitFailed, key[:30], "", []string{"login", "thread", "--network", net}},
		{exitFailed, dataset[:len(dataset)-2], "", []string{"login", "thread"}},
		{exitFailed, "correct horse battery", "", []string{"login", "thread"}},
		{exitFailed, key + "\n" + key, "", []string{"login", "thread", "--network", net}},
		{exitDone, "correct horse battery", "", []string{"login", "thread", "--network", "00000000000000f1", "--name", "Elsewhere", "--agent", codeAt.String()}},
		{exitPartial, "", "", []string{"scan", "--ask", mdns}}, // that agent is another network's: a wrong key
		{exitDone, "", "", []string{"login", "remove", "Elsewhere"}},
		{exitPartial, "", wrongCode, []string{"scan", "--code-file", "-", "--ask", codes, "--json"}},
		{exitDone, "475-689-122", "", []string{"login", "thread", "--ask", codes}},
		{exitDone, "", "", []string{"login", "remove", net}},
	} {
		u.env = map[string]string{threadEnv: x.env}
		o, e, status := u.run(x.stdin, x.args...)
		if status != x.want {
			shown := x.args
			t.Errorf("%q: status %d, want %d: %s%s", shown, status, x.want, o, e)
		}
		look(x.args, o, e)
	}
	if st := coder.Stats(); st.Sessions != 1 || st.Refused != 2 {
		t.Errorf("the code was used in %d sessions and refused %d times", st.Sessions, st.Refused)
	}

	// Stopped, and damaged.
	u.run(dataset, "login", "thread", "--file", "-")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"scan", "--ask", mdns}, {"report", "--border-routers", "--ask", mdns}, {"login", "thread", "--file", "-"}} {
		o, e, status := u.runUntil(ctx, dataset, args...)
		if status != exitInterrupted {
			t.Errorf("%q: status %d: %s%s", args, status, o, e)
		}
		look(args, o, e)
	}
	credentials := filepath.Join(u.dir, "credentials.json")
	b, err := os.ReadFile(credentials)
	if err != nil {
		t.Fatal(err)
	}
	if !canaries[1].in(b) {
		t.Error("the PSKc is not where it should be, so this test sees nothing")
	}
	if err := os.WriteFile(credentials, append([]byte("x"), b...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"login", "list"}, {"scan", "--ask", mdns}, {"report", "--border-routers", "--ask", mdns}} {
		o, e, _ := u.run("", args...)
		if !strings.Contains(o+e, "damaged") {
			t.Errorf("%q: %s%s", args, o, e)
		}
		look(args, o, e)
	}
}
