package dump

import (
	"bytes"
	"html"
	"strings"
)

// A cliLine is one line of text, without what terminals, mail programs and web
// pages put around it.
type cliLine struct {
	n      int // number in the file, from 1
	indent int // columns of white space before the text, after the marks of quoting
	text   string
	long   bool // it was longer than maxLine and is not here
}

// A cliScanner goes over the lines of a text, one line ahead.
type cliScanner struct {
	rest []byte
	n    int
	cur  cliLine
	ok   bool
}

func newCLIScanner(b []byte) *cliScanner {
	s := &cliScanner{rest: b}
	s.next()
	return s
}

// peek returns the line at hand; ok is false at the end.
func (s *cliScanner) peek() (l cliLine, ok bool) { return s.cur, s.ok }

// next steps to the next line.
func (s *cliScanner) next() {
	if s.ok = len(s.rest) > 0 && s.n < maxLines; !s.ok {
		s.cur = cliLine{n: s.n}
		return
	}
	var line []byte
	line, s.rest = cutLine(s.rest)
	s.n++
	if len(line) > maxLine {
		s.cur = cliLine{n: s.n, long: true}
		return
	}
	s.cur = cleanLine(line)
	s.cur.n = s.n
}

// cleanLine takes off colours, HTML's escapes, marks of quoting and the prompt,
// which is "> " as well.
func cleanLine(b []byte) cliLine {
	b = bytes.TrimRight(stripANSI(b), " \t\r\x00")
	t := strings.ToValidUTF8(string(b), "?")
	if strings.Contains(t, "&") {
		t = html.UnescapeString(t)
	}
	t = strings.ReplaceAll(t, "\u00a0", " ") // what web pages make of several spaces
	t = strings.TrimRight(t, " ")
	for {
		u := strings.TrimLeft(t, " \t")
		if !strings.HasPrefix(u, ">") {
			break
		}
		t = strings.TrimPrefix(u[1:], " ")
	}
	u := strings.TrimLeft(t, " \t")
	indent := 0
	for _, c := range t[:len(t)-len(u)] {
		if c == '\t' {
			indent += 4
		} else {
			indent++
		}
	}
	return cliLine{indent: indent, text: u}
}

// stripANSI removes terminal control sequences.
func stripANSI(b []byte) []byte {
	if bytes.IndexByte(b, 0x1b) < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != 0x1b {
			out = append(out, b[i])
			continue
		}
		if i+1 < len(b) && b[i+1] == '[' {
			for i += 2; i < len(b) && (b[i] < '@' || b[i] > '~'); i++ {
			}
		}
	}
	return out
}

// passable reports whether l may stand in the middle of an answer without
// meaning anything: an empty line, or the line under a table's head.
func (l cliLine) passable() bool {
	return !l.long && (l.text == "" || strings.HasPrefix(l.text, "+-"))
}

// done reports whether l ends an answer.
func (l cliLine) done() bool { return l.text == "Done" }

// failed reports whether l ends an answer with an error.
func (l cliLine) failed() bool { return strings.HasPrefix(l.text, "Error ") }

// fence reports whether l is a mark of Markdown around code.
func (l cliLine) fence() bool {
	return strings.HasPrefix(l.text, "```") || strings.HasPrefix(l.text, "~~~")
}

// ends reports whether an answer can't go on with l.
func (l cliLine) ends() bool { return l.long || l.done() || l.failed() || l.fence() }

// command returns the OpenThread command on l, "" where there is none: after
// "ot-ctl " whatever follows, else only what is known, to the word.
func (l cliLine) command() string {
	t := l.text
	called := false
	for _, mark := range []string{"ot-ctl ", "ot_cli ", "ot-cli "} {
		if _, after, ok := strings.Cut(t, mark); ok {
			t, called = after, true
		}
	}
	if !called {
		t = strings.TrimLeft(t, "#$ ")
		for _, prompt := range []string{"> ", "~$ "} { // "esp32h2> ", "uart:~$ ot "
			if i := strings.Index(t, prompt); i > 0 && i < 24 && !strings.Contains(t[:i], " ") {
				t = strings.TrimPrefix(t[i+len(prompt):], "ot ")
			}
		}
	}
	t = strings.Join(strings.Fields(strings.Trim(t, "`'\" ")), " ")
	if len(t) > 400 {
		return ""
	}
	if called || knownCommand(t) {
		return t
	}
	return ""
}
