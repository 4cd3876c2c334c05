package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"threadmap/simulators/homeassistant"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
)

// cmdToken takes the administrator's token back at the Home Assistant, or gives it
// its rights again.
func cmdToken(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "token revoked|good")
	values(ts).home.Server.Revoke(world.AdminToken, args[0] == "good")
}

// cmdHA checks how often something was asked of Home Assistant; "wrong" are wrong
// logins. Nothing that changes it ever is.
func cmdHA(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "ha wrong|COMMAND COUNT")
	s := values(ts).home.Server
	got := s.Requests()[args[0]]
	if args[0] == "wrong" {
		got = s.WrongLogins()
	}
	if strconv.Itoa(got) != args[1] {
		ts.Fatalf("%s: %d times, want %s", args[0], got, args[1])
	}
	if w := s.Writing(); len(w) > 0 {
		ts.Fatalf("Home Assistant was asked to change something: %v", w)
	}
}

// secretsOf are all that a home with a Home Assistant has to hide, in the forms in
// which it might come out; those that the file of credentials may hold map to true.
func secretsOf(home *mesh.Home) map[string]bool {
	out := map[string]bool{homeassistant.IngressToken: false, homeassistant.IngressSession: false, world.AdminToken: true, world.GuestToken: true}
	for _, token := range []string{world.AdminToken, world.GuestToken} {
		out[base64.StdEncoding.EncodeToString([]byte(token[:len(token)/3*3]))] = false
		out[hex.EncodeToString([]byte(token))] = false
		out[token[len(token)/4:]] = true
	}
	for _, m := range home.Networks {
		for i, key := range [][16]byte{m.NetworkKey, m.PSKc} {
			for _, form := range []string{string(key[:]), hex.EncodeToString(key[:]), base64.StdEncoding.EncodeToString(key[:15]), fmt.Sprint(key)} {
				out[form] = i == 1
			}
		}
	}
	return out
}

// secretIn searches what was printed and the files of folders for secrets, and says
// where the first is.
func secretIn(secrets map[string]bool, printed string, folders ...string) (found string, err error) {
	in := func(where string, b []byte) bool {
		b = bytes.ToLower(b)
		for s, may := range secrets {
			if bytes.Contains(b, bytes.ToLower([]byte(s))) && !(may && filepath.Base(where) == "credentials.json") {
				found = where
				return true
			}
		}
		return false
	}
	if in("what was printed", []byte(printed)) {
		return found, nil
	}
	for _, dir := range folders {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(p)
			if err == nil && in(p, b) {
				return fs.SkipAll
			}
			return err
		})
		if found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

// cmdNoSecret checks that no secret of a home is anywhere but where it belongs: not
// in what was printed, and in no file, but that the PSKc and the token may be in
// credentials.json.
func cmdNoSecret(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "nosecret lab|home")
	secrets := secretsOf(home(ts, args[0]))
	where, err := secretIn(secrets, ts.ReadFile("stdout")+ts.ReadFile("stderr"), ts.MkAbs("home"))
	ts.Check(err)
	if where == "" {
		for _, file := range mustGlob(ts, "*.json", "*.svg", "*.cbor", "*.dot", "*.csv", "*.txt") {
			b, err := os.ReadFile(file)
			ts.Check(err)
			for s := range secrets {
				if bytes.Contains(bytes.ToLower(b), bytes.ToLower([]byte(s))) {
					where = file
				}
			}
		}
	}
	if where != "" {
		ts.Fatalf("a secret is in %s", where)
	}
}

func mustGlob(ts *testscript.TestScript, patterns ...string) (out []string) {
	for _, p := range patterns {
		files, err := filepath.Glob(ts.MkAbs(p))
		ts.Check(err)
		out = append(out, files...)
	}
	return out
}
