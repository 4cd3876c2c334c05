package otbr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestMisbehaviours(t *testing.T) {
	for _, c := range []struct {
		m     Misbehaviour
		check func(t *testing.T, r *http.Response, body []byte, err error)
	}{
		{HalfJSON, func(t *testing.T, r *http.Response, body []byte, err error) {
			if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 || json.Valid(body) {
				t.Errorf("%d octets, %v", len(body), err)
			}
		}},
		{Huge, func(t *testing.T, r *http.Response, body []byte, err error) {
			if len(body) < hugeSize || err != nil {
				t.Errorf("%d octets, %v", len(body), err)
			}
		}},
		{WrongTypes, func(t *testing.T, r *http.Response, body []byte, err error) {
			var v struct{ BaID, Rloc16 json.RawMessage }
			if json.Unmarshal(body, &v) != nil || bytes.HasPrefix(v.Rloc16, []byte(`"`)) || bytes.HasPrefix(v.BaID, []byte(`"`)) {
				t.Errorf("%s", body)
			}
		}},
		{Deep, func(t *testing.T, r *http.Response, body []byte, err error) {
			if bytes.Count(body, []byte("[")) < 10000 {
				t.Errorf("%d octets", len(body))
			}
		}},
		{HTML, func(t *testing.T, r *http.Response, body []byte, err error) {
			if r.StatusCode != 200 || json.Valid(body) {
				t.Errorf("%d %s", r.StatusCode, body)
			}
		}},
		{Error500, func(t *testing.T, r *http.Response, body []byte, err error) {
			if r.StatusCode != 500 {
				t.Errorf("%d", r.StatusCode)
			}
		}},
		{Elsewhere, func(t *testing.T, r *http.Response, body []byte, err error) {
			if r.StatusCode != 302 || r.Header.Get("Location") != "/node" {
				t.Errorf("%d %v", r.StatusCode, r.Header)
			}
		}},
		{Behave, func(t *testing.T, r *http.Response, body []byte, err error) {
			if r.StatusCode != 200 || !json.Valid(body) || err != nil {
				t.Errorf("%d %s", r.StatusCode, body)
			}
		}},
	} {
		srv := httptest.NewServer(newServer(t, lab(), Options{Misbehave: func(*http.Request) Misbehaviour { return c.m }}))
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		r, err := client.Get(srv.URL + "/node")
		if err != nil {
			t.Errorf("%d: %v", c.m, err)
		} else {
			body, err := io.ReadAll(r.Body)
			r.Body.Close()
			c.check(t, r, body, err)
		}
		client.CloseIdleConnections()
		srv.Close()
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	asked := make(chan struct{}, 1)
	srv := httptest.NewServer(newServer(t, lab(), Options{Misbehave: func(*http.Request) Misbehaviour { asked <- struct{}{}; return Hang }}))
	defer srv.Close() // would wait for a handler that does not end
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/node", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(r)
		got <- err
	}()
	<-asked
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("an answer came: %v", err)
	}
}
