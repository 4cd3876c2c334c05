package otbr

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"threadmap/diag"
	"threadmap/diag/internal/apiurl"
	"threadmap/diag/otbr/restdoc"
)

// Deadlines of single requests, each inside the probe's.
const (
	connectWithin     = 5 * time.Second
	quickWithin       = 5 * time.Second  // what the border router knows by itself
	listWithin        = 10 * time.Second // /api/devices and results: long documents of a small computer
	diagnosticsWithin = 15 * time.Second // generation 1 waits 2 to 4 s for the mesh before it answers
	farewellWithin    = time.Second      // taking back a task after the end
)

// Media types. OTBR compares them as text, so parameters or a list would be
// refused with 406 or 415.
const (
	typeJSON    = "application/json"
	typeJSONAPI = "application/vnd.api+json"
)

// A failure is why a request brought nothing, or not all: one line, and what
// to do about it.
type failure struct {
	stage   diag.Stage
	text    string
	hint    string
	status  int  // HTTP status, zero where none came
	stopped bool // the border router gave the task up at its limit
}

func (f *failure) Error() string { return f.text }

// A client talks to one border router.
type client struct {
	http *http.Client
	at   apiurl.URL
	mute int // requests in a row that were not answered in time
	pace pace
}

// maxMute is how many requests in a row may go unanswered before the border
// router counts as gone.
const maxMute = 3

// newClient copies h, or makes a client, with a redirect rule of its own. done
// closes what it opened.
func newClient(h *http.Client, at apiurl.URL, p pace) (c *client, done func()) {
	own := http.Client{}
	done = func() {}
	if h != nil {
		own = *h
	} else {
		t := newTransport()
		own.Transport, done = t, t.CloseIdleConnections
	}
	own.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		switch first := via[0].URL; {
		case req.URL.Host != first.Host || req.URL.Scheme != first.Scheme:
			return &failure{stage: diag.StageConnect, text: "sends us to another host, which is not followed", hint: "name that host itself"}
		case len(via) > 3:
			return &failure{stage: diag.StageConnect, text: "sends us in circles"}
		}
		return nil
	}
	return &client{http: &own, at: at, pace: p.orDefault()}, done
}

func (c *client) get(ctx context.Context, path, accept string, limit time.Duration) ([]byte, error) {
	return c.do(ctx, http.MethodGet, path, accept, nil, limit)
}

// do makes one request. Where the answer broke off, what came of it is returned
// beside the error.
func (c *client) do(ctx context.Context, method, path, accept string, body []byte, limit time.Duration) ([]byte, error) {
	inner, cancel := context.WithTimeout(ctx, c.pace.scale(limit))
	defer cancel()
	req, err := http.NewRequestWithContext(inner, method, c.at.String()+path, bytes.NewReader(body))
	if err != nil {
		return nil, &failure{stage: diag.StageConnect, text: "its URL can't be used"}
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", "identity") // what is not compressed can't be a bomb
	req.Header.Set("User-Agent", "threadmap")
	if body != nil {
		req.Header.Set("Content-Type", typeJSONAPI)
	}
	if u := c.at.User; u != nil {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(ctx, err, path, limit)
	}
	defer resp.Body.Close()
	if f := c.status(resp, path); f != nil {
		c.mute = 0
		return nil, f
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, &failure{stage: diag.StageParse, text: fmt.Sprintf("answered %s compressed, which was not asked for", path)}
	}
	if resp.ContentLength > restdoc.MaxBytes {
		return nil, tooMuch(path)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, restdoc.MaxBytes+1))
	if len(b) > restdoc.MaxBytes {
		return nil, tooMuch(path)
	}
	if err != nil {
		return b, c.explain(ctx, err, path, limit)
	}
	c.mute = 0
	return b, nil
}

func tooMuch(path string) *failure {
	return &failure{stage: diag.StageParse, text: fmt.Sprintf("answered more than %d MiB to %s", restdoc.MaxBytes>>20, path), hint: "is this an OpenThread Border Router?"}
}

// status makes a line of every status but success.
func (c *client) status(resp *http.Response, path string) *failure {
	f := &failure{stage: diag.StageAsk, status: resp.StatusCode}
	switch s := resp.StatusCode; {
	case s >= 200 && s <= 299:
		return nil
	case s == http.StatusNotFound:
		f.text, f.hint = fmt.Sprintf("has no %s (404)", path), "is this the REST API of an OpenThread Border Router?"
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		f.text, f.hint = fmt.Sprintf("does not let us in (%d)", s), "something before it wants a login, which threadmap has none for: use the address of the border router itself"
	case s == http.StatusConflict:
		f.text, f.hint = fmt.Sprintf("can't answer %s in its present state (409)", path), "is Thread running on it?"
	case s == http.StatusUnprocessableEntity:
		f.text = fmt.Sprintf("does not know what was asked of %s (422)", path)
	case s == http.StatusServiceUnavailable:
		f.text, f.hint = fmt.Sprintf("is too busy for %s (503)", path), "try again in a minute"
	default:
		f.text = strings.TrimSpace(fmt.Sprintf("answered %s with %d %s", path, s, http.StatusText(s)))
	}
	return f
}

// explain makes one line of a transport error. The error's own text is used
// only where it can't hold a URL.
func (c *client) explain(ctx context.Context, err error, path string, limit time.Duration) *failure {
	f := &failure{stage: diag.StageConnect}
	var own *failure
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &own):
		return own
	case ctx.Err() != nil:
		f.stage, f.text = diag.StageAsk, fmt.Sprintf("was still busy with %s when the time was over", path)
	case errors.As(err, &dns):
		f.stage, f.text, f.hint = diag.StageResolve, fmt.Sprintf("the host name %s is not known", c.at.Host), "use its address, or check the name"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.text, f.hint = fmt.Sprintf("nothing listens on port %s of %s", c.at.Port, c.at.Host), "is the REST API switched on? (Home Assistant: publish port 8081 of the OpenThread Border Router app)"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		f.text, f.hint = "does not speak TLS", "write http:// instead of https://"
	case errors.As(err, &cert):
		f.stage, f.text = diag.StageHandshake, "its certificate is not trusted by this computer"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		c.mute++
		f.stage = diag.StageAsk
		f.text = fmt.Sprintf("did not answer %s within %v", path, limit)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		f.stage, f.text = diag.StageAsk, fmt.Sprintf("broke off in the middle of %s", path)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.text, f.hint = fmt.Sprintf("%s can't be reached", c.at.Host), "is it on this network?"
	case errors.As(err, &op):
		f.text = fmt.Sprintf("the connection failed: %v", op.Err)
	default:
		f.stage, f.text = diag.StageAsk, fmt.Sprintf("the answer to %s is not HTTP", path)
	}
	return f
}

// statusOf is the HTTP status that err is about, zero for none.
func statusOf(err error) int {
	var f *failure
	if errors.As(err, &f) {
		return f.status
	}
	return 0
}
