package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"threadmap/render/internal/fixture"
)

func scan(doc string) Scan {
	return Scan{Sentence: "</title><script>alert(1)</script>", Caption: "<b>", Picture: []byte("<svg><style>\n.a{}</style></svg>"),
		Map: func(w io.Writer) error { _, err := io.WriteString(w, doc); return err }}
}

func written(t *testing.T, scans ...Scan) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, scans); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPolicy: the hashes are those of what stands in the file.
func TestPolicy(t *testing.T) {
	got := written(t, scan(`{}`), scan(`{}`))
	_, rest, _ := strings.Cut(got, `http-equiv="Content-Security-Policy" content="`)
	meta, _, _ := strings.Cut(rest, `"`)
	between := func(from, to string) string {
		_, s, ok := strings.Cut(got, from)
		s, _, ok2 := strings.Cut(s, to)
		if !ok || !ok2 {
			t.Fatalf("no %s", from)
		}
		return s
	}
	meta = strings.ReplaceAll(meta, "&#39;", "'")
	for _, want := range []string{"default-src 'none';", "script-src " + hash(between("<script>", "</script>")) + ";", hash(between("<style>", "</style>")), hash("\n.a{}"), "img-src data: blob:;"} {
		if !strings.Contains(meta, want) {
			t.Errorf("the policy lacks %s: %s", want, meta)
		}
	}
	if strings.Contains(meta, "unsafe") || strings.Contains(meta, "*") {
		t.Errorf("a wide policy: %s", meta)
	}
	if strings.Count(got, `<template class="scan">`) != 1 {
		t.Error("the earlier scan has no template")
	}
}

// TestDataEndsNothing: whatever stands in the data, there are two script
// elements, and the data is still the same JSON.
func TestDataEndsNothing(t *testing.T) {
	evil := `{"a":"</script><script>alert(1)</script><!--<script>","b":"]]>"}`
	s := scan(evil)
	s.Nodes, s.Links, s.Sources = [][2]string{{"</script>", "<!--"}}, []string{"</SCRIPT >"}, map[string]string{"</script>": "<"}
	got := written(t, s)
	if n := strings.Count(strings.ToLower(got), "</script"); n != 2 {
		t.Errorf("%d ends of scripts", n)
	}
	if strings.Contains(got, "alert(1)</script>") || strings.Contains(got, "<!--") {
		t.Error("text of the data as markup")
	}
	_, data, _ := strings.Cut(got, `id="data">`)
	data, _, _ = strings.Cut(data, "</script>")
	var doc []struct {
		Sentence string
		Nodes    [][2]string
		Sources  map[string]string
		Map      struct{ A, B string }
	}
	if err := json.Unmarshal([]byte(data), &doc); err != nil {
		t.Fatal(err)
	}
	if d := doc[0]; d.Map.A != "</script><script>alert(1)</script><!--<script>" || d.Map.B != "]]>" || d.Sentence != s.Sentence || d.Nodes[0][0] != "</script>" || d.Sources["</script>"] != "<" {
		t.Errorf("%+v", d)
	}
}

// TestInScript: however the data is cut into writes.
func TestInScript(t *testing.T) {
	const in, want = `<a<<b"<`, `\u003ca\u003c\u003cb"\u003c`
	for size := 1; size <= len(in); size++ {
		var b bytes.Buffer
		w := &inScript{&b}
		for rest := in; rest != ""; {
			n := min(size, len(rest))
			if k, err := io.WriteString(w, rest[:n]); k != n || err != nil {
				t.Fatal(k, err)
			}
			rest = rest[n:]
		}
		if b.String() != want {
			t.Errorf("in pieces of %d: %s", size, b.String())
		}
	}
}

func TestErrorsAreTold(t *testing.T) {
	if err := Write(io.Discard, nil); err == nil {
		t.Error("a page of nothing")
	}
	size := len(written(t, scan(`{"a":"<b"}`)))
	for room := 0; room < size; room += 97 {
		if err := Write(&fixture.Narrow{Room: room}, []Scan{scan(`{"a":"<b"}`)}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
	broken := scan("")
	broken.Map = func(io.Writer) error { return io.ErrUnexpectedEOF }
	if err := Write(io.Discard, []Scan{broken}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a document that fails: %v", err)
	}
}

// TestScript: no file of ours can end its element, or makes markup of text.
func TestScript(t *testing.T) {
	code := script()
	for _, bad := range []string{"</", "<!--", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "fetch(", "XMLHttpRequest", "localStorage"} {
		if strings.Contains(code, bad) {
			t.Errorf("the script has %q", bad)
		}
	}
	if strings.Contains(style, "</") || strings.Contains(style, "url(") {
		t.Error("the style loads something or ends its element")
	}
}
