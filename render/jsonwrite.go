package render

import (
	"io"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"threadmap/topology"
)

// A jsonWriter writes JSON key by key in the order it is told, straight to w:
// the document of a large mesh is never held in memory. Errors stick.
type jsonWriter struct {
	w     io.Writer
	buf   []byte
	comma bool // a value stands before, in the same list or object
	err   error
	ways  *topology.Routing // of the map that is written
}

const jsonChunk = 32 << 10

// newJSON begins a document.
func newJSON(w io.Writer) *jsonWriter { return &jsonWriter{w: w, buf: make([]byte, 0, jsonChunk+4096)} }

// end finishes it.
func (j *jsonWriter) end() error {
	j.buf = append(j.buf, '\n')
	j.flush()
	return j.err
}

func (j *jsonWriter) flush() {
	if j.err == nil && len(j.buf) > 0 {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

func (j *jsonWriter) next() {
	if j.comma {
		j.buf = append(j.buf, ',')
	}
	j.comma = true
	if len(j.buf) >= jsonChunk {
		j.flush()
	}
}

// key begins a member of an object; its value follows by one of raw, str, ….
func (j *jsonWriter) key(k string) *jsonWriter {
	j.next()
	j.buf = append(append(append(j.buf, '"'), k...), '"', ':')
	j.comma = false
	return j
}

func (j *jsonWriter) open(c byte) {
	j.next()
	j.buf = append(j.buf, c)
	j.comma = false
}

func (j *jsonWriter) close(c byte) {
	j.buf = append(j.buf, c)
	j.comma = true
}

func (j *jsonWriter) object(fill func()) { j.open('{'); fill(); j.close('}') }
func (j *jsonWriter) list(fill func())   { j.open('['); fill(); j.close(']') }

// newline makes long lists readable and diffable: one node, one line.
func (j *jsonWriter) newline() {
	if j.comma {
		j.buf = append(j.buf, ',')
		j.comma = false
	}
	j.buf = append(j.buf, '\n')
}

func (j *jsonWriter) raw(s string) {
	j.next()
	j.buf = append(j.buf, s...)
}

func (j *jsonWriter) null() { j.raw("null") }

func (j *jsonWriter) bool(b bool) { j.raw(strconv.FormatBool(b)) }

func (j *jsonWriter) int(v int64) {
	j.next()
	j.buf = strconv.AppendInt(j.buf, v, 10)
}

// text writes s, null for "".
func (j *jsonWriter) text(s string) {
	if s == "" {
		j.null()
		return
	}
	j.str(s)
}

// str writes s as it is. Whatever a terminal could act on is escaped, so that
// the document is safe to print; broken UTF-8 becomes U+FFFD.
func (j *jsonWriter) str(s string) {
	j.next()
	b := append(j.buf, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c <= '~' {
			if c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case unicode.IsGraphic(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			r -= 0x10000
			b = appendU(appendU(b, 0xd800|r>>10), 0xdc00|r&0x3ff)
		default:
			b = appendU(b, r)
		}
	}
	j.buf = append(b, '"')
}

func appendU(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// time writes RFC 3339 in UTC, null for a time that is not known or that RFC
// 3339 can't write.
func (j *jsonWriter) time(t time.Time) {
	if t = t.UTC(); t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		j.null()
		return
	}
	j.next()
	j.buf = append(t.AppendFormat(append(j.buf, '"'), time.RFC3339Nano), '"')
}

// seconds writes a time span with milliseconds where it has some, in integers
// all the way.
func (j *jsonWriter) seconds(d time.Duration) {
	ms := d.Milliseconds()
	j.next()
	if ms < 0 {
		j.buf, ms = append(j.buf, '-'), -ms
	}
	j.buf = strconv.AppendInt(j.buf, ms/1000, 10)
	if f := ms % 1000; f != 0 {
		j.buf = append(j.buf, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	}
}
