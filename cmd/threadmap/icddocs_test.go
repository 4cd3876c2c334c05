package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"threadmap/diag/icd"
)

// What docs/icd.md holds between its marks is made here.
const (
	icdDocs       = "../../docs/icd.md"
	icdScenarios  = "../../diag/icd/testdata/scenarios.txt"
	tableBegin    = "<!-- the table begins; UPDATE=1 go test ./cmd/threadmap -run TestICDDocs writes it -->\n"
	tableEnd      = "<!-- the table ends -->\n"
	healthyReboot = "none of 200 healthy restarts"
)

// A conclusion is what a rung of the evidence ladder told of a story.
type conclusion struct{ link, party, causes string }

// scenarioRow is "R1   forgetful firmware     rung 0       unknown          = H1:low R19:low …".
var scenarioRow = regexp.MustCompile(`^(\S+)\s+(.+?)\s+rung ([0-4])\s+(?:(L[0-9]+)\s+)?([a-z-]+)\s*([!=]?)\s*((?:[RNH][0-9]+:.*)?)$`)

// TestICDDocs: the documentation says what the tests say, of each story in which
// party something was planted, what each rung of the evidence ladder concludes.
func TestICDDocs(t *testing.T) {
	table := scenarioTable(t)
	b, err := os.ReadFile(icdDocs)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	before, rest, ok := strings.Cut(doc, tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatal("docs/icd.md has lost its marks")
	}
	if want := before + tableBegin + table + tableEnd + after; want != doc {
		if os.Getenv("UPDATE") == "" {
			t.Fatal("docs/icd.md is not what diag/icd/testdata/scenarios.txt says: UPDATE=1")
		}
		if err := os.WriteFile(icdDocs, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(doc, healthyReboot) {
		t.Errorf("docs/icd.md does not say %q", healthyReboot)
	}
	for _, c := range icd.Causes {
		if !strings.Contains(doc, "| "+c.ID+" |") {
			t.Errorf("docs/icd.md has no row for %s", c.ID)
		}
	}
}

func scenarioTable(t *testing.T) string {
	f, err := os.Open(icdScenarios)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type story struct {
		id, title string
		by        [5]conclusion
	}
	var all []*story
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m := scenarioRow.FindStringSubmatch(lines.Text())
		if m == nil {
			if regexp.MustCompile(`rung [0-4]`).MatchString(lines.Text()) && regexp.MustCompile(`^[RNH][0-9]`).MatchString(lines.Text()) {
				t.Fatalf("not understood: %q", lines.Text())
			}
			continue
		}
		if n := len(all); n == 0 || all[n-1].id != m[1] || all[n-1].title != m[2] {
			all = append(all, &story{id: m[1], title: m[2]})
		}
		all[len(all)-1].by[m[3][0]-'0'] = conclusion{m[4], m[5], m[7]}
	}
	if len(all) < 20 {
		t.Fatalf("only %d stories", len(all))
	}
	var b strings.Builder
	b.WriteString("| planted | story | listening (0) | touching (1) | the mesh asked (2) | own subscription (3) | inside (4) |\n|---|---|---|---|---|---|---|\n")
	// What diag/icd's own test of healthy restarts asserts, on every rung.
	b.WriteString("| nothing | 200 healthy restarts |" + strings.Repeat(" nobody is blamed |", 5) + "\n")
	for _, s := range all {
		fmt.Fprintf(&b, "| %s | %s |", s.id, s.title)
		for _, c := range s.by {
			b.WriteString(" " + c.String() + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// String is "L7 device-firmware, R1 or R3", or "open".
func (c conclusion) String() string {
	if c.party == "" {
		return ""
	}
	var first []string
	level := ""
	for f := range strings.FieldsSeq(c.causes) {
		id, how, ok := strings.Cut(f, ":")
		if !ok || level != "" && how != level {
			break
		}
		first, level = append(first, id), how
	}
	who := strings.Join(first, " or ")
	switch {
	case c.link == "" && (level == "low" || who == ""):
		return "open"
	case c.link == "":
		return "open; " + who
	case level == "low" || who == "":
		return c.link + " " + c.party
	}
	return c.link + " " + c.party + ", " + who
}
