package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestICDBadInput types what is wrong into the commands around "icd": each is one
// line that says what is wrong, where and what to do, with the status of that kind
// of fault, before anything is asked or written.
func TestICDBadInput(t *testing.T) {
	scan, folder := saveScan(t), t.TempDir()
	here := filepath.Join(folder, "here.jsonl")
	if err := os.WriteFile(here, []byte("no observations"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	const node, replay, cleanup, demo = "icd hall --interface lo --observe host --from SCAN --for 1s ", "icd replay here.jsonl ", "icd cleanup ", "demo icd "
	for _, c := range []struct {
		args   string // '' is an empty one
		status int
		says   string
	}{
		{"icd --wait", exitUsage, "--wait needs a NODE to watch"},
		{"icd --for 5s", exitUsage, "--for needs a NODE to watch"},
		{"icd --observe mdns", exitUsage, "--observe needs a NODE to watch"},
		{"icd --consent", exitUsage, "--consent needs a NODE to watch"},
		{"icd --subscriber x", exitUsage, "--subscriber needs a NODE to watch"},
		{"icd --ticket", exitUsage, "--ticket needs a NODE to watch"},
		{"icd -o x.svg", exitUsage, "--output needs a NODE to watch"},
		{"icd a b", exitUsage, `"b" is one argument too many`},
		{"icd --nosuch", exitUsage, "unknown flag: --nosuch"},
		{"icd --from", exitUsage, "flag needs an argument: --from"},
		{"icd --from nothing.cbor", exitFailed, "nothing.cbor: no such file or folder"},
		{"icd --from here.jsonl", exitFailed, "here.jsonl: holds nothing that is known"},
		{"icd --from .", exitFailed, ".: is a folder"},
		{"icd --from ''", exitFailed, "the name of a FILE is empty"},
		{"icd --fresh --from x.cbor", exitUsage, "leave one of them out"},
		{"icd --otbr http://x", exitUsage, "--otbr is for --fresh"},
		{"icd --ask 127.0.0.1:99999", exitUsage, "want HOST or HOST:PORT"},
		{"icd --json=maybe", exitUsage, "want true or false"},
		{node + "--interface ''", exitUsage, "--interface: the name is empty"},
		{node + "--for x", exitUsage, "want a time such as 20s or 2m"},
		{node + "--for 0", exitUsage, "want a time such as 20s or 2m"},
		{node + "--for -5s", exitUsage, "want a time such as 20s or 2m"},
		{node + "--observe nothing", exitUsage, "--observe nothing: there is only mdns, ra,"},
		{node + "--observe ''", exitUsage, "--observe: the name is empty: want mdns, ra,"},
		{node + "--record ''", exitUsage, "--record: the name of the FILE is empty"},
		{node + "--record here.jsonl", exitFailed, "--record here.jsonl: it exists already: name a new file"},
		{node + "--record nosuch/x.jsonl", exitFailed, "--record: cannot write nosuch/x.jsonl: no such file or folder: name another place"},
		{node + "-o x.png", exitUsage, "-o x.png: a timeline is drawn as .svg"},
		{node + "-o ''", exitUsage, "-o: the name of the FILE is empty"},
		{node + "--subscriber ''", exitUsage, "--subscriber: the name is empty"},
		{node + "--no-redact", exitUsage, "--no-redact is for --ticket"},
		{node + "--ticket --json", exitUsage, "leave out one of them"},
		{node + "--names nosuch", exitFailed, "--names: nosuch: no such file or folder"},
		{node + "--wait=sure", exitUsage, "want true or false"},
		{"icd ''", exitUsage, "the NODE is empty: name the device to watch"},
		{"icd nobody --from SCAN", exitFailed, `no node fits "nobody"`},

		{"icd replay", exitUsage, "name a FILE, --pcap FILE or --log FILE"},
		{"icd replay a b", exitUsage, `"b" is one argument too many`},
		{"icd replay nothing", exitFailed, "nothing: no such file or folder"},
		{"icd replay .", exitFailed, ".: is a folder: name a file in it"},
		{"icd replay ''", exitFailed, "the name of a FILE is empty"},
		{"icd replay here.jsonl", exitFailed, `want "threadmap-observations" in its first line`},
		{replay + "--at x", exitUsage, "want seconds from the start, 0 to 100000000"},
		{replay + "--at NaN", exitUsage, "want seconds from the start, 0 to 100000000"},
		{replay + "--at -1", exitUsage, "want seconds from the start, 0 to 100000000"},
		{replay + "--at 1e9", exitUsage, "want seconds from the start, 0 to 100000000"},
		{replay + "--subscriber ''", exitUsage, "--subscriber: the name is empty"},
		{replay + "--node ''", exitUsage, "--node: the name is empty"},
		{replay + "--pcap ''", exitUsage, "--pcap: the name of the FILE is empty"},
		{replay + "--log ''", exitUsage, "--log: the name of the FILE is empty"},
		{replay + "-o x.png", exitUsage, "-o x.png: a timeline is drawn as .svg"},
		{replay + "-o ''", exitUsage, "-o: the name of the FILE is empty"},
		{replay + "--no-redact", exitUsage, "--no-redact is for --ticket"},
		{replay + "--ticket --json", exitUsage, "leave out one of them"},
		{"icd replay --pcap nothing", exitFailed, "nothing: no such file or folder"},
		{"icd replay --pcap .", exitFailed, ".: is a folder: name a file in it"},
		{"icd replay --pcap here.jsonl", exitFailed, "want a file of pcap or pcapng"},
		{"icd replay --log nothing --node 1", exitFailed, "nothing: no such file or folder"},
		{"icd replay --log . --node 1", exitFailed, ".: is a folder: name a file in it"},
		{"icd replay --log here.jsonl", exitFailed, "name its number with --node"},
		{"icd replay --log here.jsonl --node 12", exitFailed, "is this a log of Home Assistant's Matter server?"},

		{cleanup + "x", exitUsage, `"x" is one argument too many`},
		{cleanup + "--for 0", exitUsage, "want a time such as 20s or 2m"},
		{cleanup + "--for x", exitUsage, "want a time such as 20s or 2m"},
		{cleanup + "--interface ''", exitUsage, "--interface: the name is empty"},
		{cleanup + "--ask 127.0.0.1:0", exitUsage, "want HOST or HOST:PORT"},
		{cleanup + "--json=2", exitUsage, "want true or false"},

		{demo + "x", exitUsage, `"x" is one argument too many`},
		{demo + "-o x.png", exitUsage, "-o x.png: a timeline is drawn as .svg"},
		{demo + "-o ''", exitUsage, "-o: the name of the FILE is empty"},
		{demo + "--record ''", exitUsage, "--record: the name of the FILE is empty"},
		{demo + "--record here.jsonl", exitFailed, "--record here.jsonl: it exists already: name a new file"},
		{demo + "--record nosuch/x.jsonl", exitFailed, "--record: cannot write nosuch/x.jsonl: no such file or folder: name another place"},
		{demo + "--json=x", exitUsage, "want true or false"},
	} {
		args := strings.Fields(c.args)
		for i, s := range args {
			switch s {
			case "''":
				args[i] = ""
			case "SCAN":
				args[i] = scan
			}
		}
		out, errs, status := newUser(t).run("", args...)
		// What is known of the device may be told before a file can't be written.
		if status != c.status || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "threadmap: ") {
			t.Errorf("%s: status %d, %q, want %d and one line with %q\n%s", c.args, status, errs, c.status, c.says, out)
		}
		for _, word := range []string{"strconv", "%!", "EOF", "<nil>", "goroutine", "is a directory"} {
			if strings.Contains(errs, word) {
				t.Errorf("%s: %q has the programmer's %q", c.args, errs, word)
			}
		}
		if c.status == exitUsage && !strings.Contains(errs, ": see threadmap help ") {
			t.Errorf("%s: %q does not name the help", c.args, errs)
		}
	}
	if all, err := os.ReadDir(folder); err != nil || len(all) != 1 {
		t.Errorf("%v, %v: files were written", all, err)
	}
}

// TestICDUnheardSubscriber: a controller of which nothing is heard costs nothing
// but two lines.
func TestICDUnheardSubscriber(t *testing.T) {
	_, errs, status := newUser(t).run("", "icd", "hall", "--interface", "lo", "--observe", "host", "--from", saveScan(t), "--for", "1s", "--subscriber", "Nobody's")
	if want := "Nothing was heard of the \"Nobody's\" of --subscriber, so this is about another."; status != exitDone || !strings.Contains(errs, want) {
		t.Errorf("status %d: %s", status, errs)
	}
}
