package homeassistant

import (
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

	"github.com/coder/websocket"

	"threadmap/diag"
	"threadmap/diag/internal/apiurl"
)

// Deadlines, each inside the probe's.
const (
	connectWithin  = 5 * time.Second
	authWithin     = 10 * time.Second // what Home Assistant itself gives a client for its token
	quickWithin    = 10 * time.Second // what it has in memory; a small computer that is busy takes seconds
	registryWithin = 20 * time.Second // megabytes, made by a small computer
	askingWithin   = 15 * time.Second // what it asks others for: otbr/info waits up to 10 s for a dead border router
	downloadWithin = 45 * time.Second // all attributes of all nodes, ten megabytes in a large home
	routersWithin  = 4 * time.Second  // border routers are told as they are heard, and no last one is marked
)

// A pace shortens waiting in tests.
type pace struct {
	shorter time.Duration // a divisor
	greet   time.Duration // instead of connectWithin and authWithin
	routers time.Duration // instead of routersWithin
}

func (p pace) scale(d time.Duration) time.Duration { return d / max(p.shorter, 1) }

// A failure is why something was not learnt: one line, and what to do about it.
type failure struct {
	stage diag.Stage
	text  string
	hint  string
	code  string // Home Assistant's error code, "" where it gave none
	http  int    // HTTP status, 0 where none came
	fatal bool   // nothing more can be asked
}

func (f *failure) Error() string { return f.text }

// absent reports whether it says that an integration is not there, or that Home
// Assistant is too old for the question.
func (f *failure) absent() bool {
	switch f.code {
	case "unknown_command", "not_supported", "not_found", "node_not_found":
		return true
	}
	return false
}

// asFailure is err as a failure.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{stage: diag.StageAsk, text: "something went wrong that has no name"}
}

// A client reaches one Home Assistant with one token.
type client struct {
	at    apiurl.URL
	login Login
	http  *http.Client
	pace  pace
}

// newClient makes a client that follows no redirect: it would carry the token
// to whoever is named there. done closes what it opened.
func (s Source) newClient(at apiurl.URL, l Login) (c *client, done func()) {
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectWithin}).DialContext
	}
	t := &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        tlsConfig(l.Trust),
		TLSHandshakeTimeout:    connectWithin,
		ResponseHeaderTimeout:  s.pace.scale(downloadWithin),
		MaxConnsPerHost:        4,
		IdleConnTimeout:        10 * time.Second,
		DisableCompression:     true, // what is not compressed can't be a bomb
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &client{at: at, login: l, pace: s.pace, http: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, t.CloseIdleConnections
}

// status makes a failure of an HTTP status that is not the one wanted.
func (c *client) status(code int, path string) *failure {
	f := &failure{stage: diag.StageAsk, http: code}
	switch {
	case code >= 300 && code <= 399:
		f.text, f.hint = "sends us to another address, which is not followed", "log in with the address that a browser ends at"
	case code == http.StatusBadRequest:
		f.text, f.hint = fmt.Sprintf("does not take the request for %s (400)", path), "if a reverse proxy stands before Home Assistant, use Home Assistant's own address, or allow the proxy in its http settings"
	case code == http.StatusUnauthorized:
		f.text, f.hint = "does not accept the token (401)", tokenHint
	case code == http.StatusForbidden:
		f.text, f.hint = "does not let this computer in (403)", "it may be banned after wrong logins: remove its address from ip_bans.yaml and restart Home Assistant"
	case code == http.StatusNotFound:
		f.text, f.hint = fmt.Sprintf("has no %s (404)", path), "is this Home Assistant?"
	case code == http.StatusBadGateway || code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout:
		f.text, f.hint = fmt.Sprintf("is not ready (%d)", code), "it may be starting: try again in a minute"
	default:
		f.text = strings.TrimSpace(fmt.Sprintf("answered %s with %d %s", path, code, http.StatusText(code)))
	}
	return f
}

const tokenHint = "make a new one in Home Assistant (your profile, Security, Long-lived access tokens), then: threadmap login ha"

// explain makes one line of a transport error. The error's own text is used
// only where it can hold nothing of the request.
func (c *client) explain(ctx context.Context, err error, what string, limit time.Duration) *failure {
	f := &failure{stage: diag.StageConnect}
	var own *failure
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var other otherCertificate
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &own):
		return own
	case ctx.Err() != nil:
		f.stage, f.text = diag.StageAsk, fmt.Sprintf("was still busy with %s when the time was over", what)
	case errors.As(err, &other):
		f.stage, f.text = diag.StageHandshake, "shows another certificate than the one that was trusted: now "+other.got.String()
		f.hint = "if you renewed it, log in again with its new fingerprint; else somebody may stand in between"
	case errors.As(err, &cert):
		f.stage, f.text = diag.StageHandshake, "its certificate is not trusted by this computer"
		if len(cert.UnverifiedCertificates) > 0 {
			f.text += "; its SHA-256 fingerprint is " + fingerprint(cert.UnverifiedCertificates[0]).String()
		}
		f.hint = "compare that with the certificate on Home Assistant's own machine, and log in with it: threadmap login ha --fingerprint"
	case errors.As(err, &dns):
		f.stage, f.text, f.hint = diag.StageResolve, fmt.Sprintf("the host name %s is not known", c.at.Host), "use its address, or check the name"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.text, f.hint = fmt.Sprintf("nothing listens on port %s of %s", c.at.Port, c.at.Host), "is Home Assistant running, and is that its port?"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		f.text, f.hint = "does not speak TLS", "write http:// instead of https://"
	case errors.Is(err, websocket.ErrMessageTooBig):
		f.stage, f.text = diag.StageParse, fmt.Sprintf("answered more than %d MiB at once", maxMessage>>20)
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		f.stage, f.text = diag.StageAsk, fmt.Sprintf("did not answer %s within %v", what, limit)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.text, f.hint = fmt.Sprintf("%s can't be reached", c.at.Host), "is it on this network?"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), websocket.CloseStatus(err) >= 0:
		f.stage, f.text = diag.StageAsk, "broke off in the middle of "+what
	case errors.As(err, &op):
		f.text = fmt.Sprintf("the connection failed: %v", op.Err)
	default:
		f.stage, f.text, f.hint = diag.StageAsk, "does not answer "+what+" as Home Assistant does", "is this Home Assistant?"
	}
	return f
}
