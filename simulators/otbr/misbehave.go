package otbr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// A Misbehaviour is what a broken or hostile border router does with a request.
type Misbehaviour uint8

// The misbehaviours.
const (
	Behave     Misbehaviour = iota
	Hang                    // no answer until the client goes away
	HalfJSON                // the answer breaks off in the middle
	Huge                    // 50 MB of it
	WrongTypes              // numbers where strings should be, and so on
	Deep                    // a hundred thousand brackets
	HTML                    // a page of some other device
	Elsewhere               // a redirect to itself
	Error500
)

// hugeSize is what Huge sends at least, in octets.
const hugeSize = 50 << 20

func (s *Server) misbehave(m Misbehaviour, w http.ResponseWriter, r *http.Request) {
	switch m {
	case Hang:
		<-r.Context().Done()
	case HalfJSON:
		a := s.answer(r)
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
		w.WriteHeader(a.status)
		w.Write(a.body[:len(a.body)/2])
		http.NewResponseController(w).Flush() // a recorder can't; the half is what counts
		panic(http.ErrAbortHandler)           // net/http cuts the connection
	case Huge:
		w.Header().Set("Content-Type", plainJSON)
		w.Write([]byte("["))
		chunk := bytes.Repeat([]byte(`{"extAddress":"0e01010101010101","rloc16":"0x5c00","routerId":23},`), 1000)
		for sent := 0; sent < hugeSize; sent += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
		w.Write([]byte("{}]"))
	case WrongTypes:
		a := s.answer(r)
		var v any
		d := json.NewDecoder(bytes.NewReader(a.body))
		d.UseNumber()
		if d.Decode(&v) == nil {
			a.body = pretty(wrong(v))
		}
		a.write(w)
	case Deep:
		reply{http.StatusOK, plainJSON, []byte(strings.Repeat("[", 100000)), false}.write(w)
	case HTML:
		reply{http.StatusOK, "text/html", []byte("<!DOCTYPE html><title>Router</title><h1>Log in</h1>"), false}.write(w)
	case Elsewhere:
		http.Redirect(w, r, r.URL.String(), http.StatusFound)
	case Error500:
		reply{http.StatusInternalServerError, plainJSON, pretty(object{{"title", "Internal Server Error"}, {"status", 500}, {"detail", ""}}), true}.write(w)
	}
}

// wrong turns every leaf of a JSON value into one of another type, and lists
// of leaves into objects.
func wrong(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = wrong(e)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			switch e.(type) {
			case map[string]any, []any:
				out = append(out, wrong(e))
			default:
				return map[string]any{"list": len(v)}
			}
		}
		return out
	case string:
		return -1.5
	case json.Number:
		return []any{v.String()}
	case bool:
		return "maybe"
	}
	return map[string]any{}
}
