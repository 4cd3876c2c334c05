package matterserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"threadmap/diag"
)

// connectWithin is how long a connection, with its WebSocket handshake, may
// take.
const connectWithin = 5 * time.Second

// A Dialer opens the WebSocket at a URL. An error that is a [diag.Problem] is
// told as it is, but for its source and target; of others the text is not
// shown, since it may quote the URL.
type Dialer func(ctx context.Context, url string) (*websocket.Conn, error)

// Through is the Dialer that asks with client h and adds header: the cookie of
// an ingress session, say. nil for h means a client of this package, which uses
// no proxy. No redirect is followed. User info in the URL becomes basic
// authentication.
func Through(h *http.Client, header http.Header) Dialer {
	return func(ctx context.Context, at string) (*websocket.Conn, error) {
		u, err := url.Parse(at)
		if err != nil {
			return nil, &failure{stage: diag.StageConnect, text: "its URL can't be used"}
		}
		own := http.Client{}
		if h != nil {
			own = *h
		} else {
			t := newTransport()
			defer t.CloseIdleConnections()
			own.Transport = t
		}
		own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		head := header.Clone()
		if head == nil {
			head = http.Header{}
		}
		head.Set("User-Agent", "threadmap")
		if u.User != nil {
			password, _ := u.User.Password()
			r := http.Request{Header: head}
			r.SetBasicAuth(u.User.Username(), password)
			u.User = nil
		}
		// Compression stays off: what is not compressed can't be a bomb.
		ws, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPClient: &own, HTTPHeader: head})
		if err != nil {
			return nil, explain(ctx, err, resp, u)
		}
		return ws, nil
	}
}

// newTransport is for servers on the LAN: no proxy, one connection.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: connectWithin}).DialContext,
		TLSHandshakeTimeout:    connectWithin,
		ResponseHeaderTimeout:  connectWithin,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}

// explain makes one line of why there is no WebSocket. The error's own text is
// used only where it can't hold a URL.
func explain(ctx context.Context, err error, resp *http.Response, at *url.URL) *failure {
	f := &failure{stage: diag.StageConnect}
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	var timeout net.Error
	switch {
	case resp != nil:
		return refused(resp)
	case errors.As(err, &dns):
		f.stage, f.text, f.hint = diag.StageResolve, fmt.Sprintf("the host name %s is not known", at.Hostname()), "use its address, or check the name"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.text = fmt.Sprintf("nothing listens on port %s of %s", at.Port(), at.Hostname())
		f.hint = "is the server's port open? (Home Assistant: show the disabled ports of the Matter Server app and enter 5580, which lets everybody on the LAN in)"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		f.text, f.hint = "does not speak TLS", "write ws:// instead of wss://"
	case errors.As(err, &cert):
		f.stage, f.text = diag.StageHandshake, "its certificate is not trusted by this computer"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		f.text = fmt.Sprintf("did not answer within %v", connectWithin)
	case ctx.Err() != nil:
		f.text = "the time was over before it answered"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.text, f.hint = fmt.Sprintf("%s can't be reached", at.Hostname()), "is it on this network?"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.stage, f.text = diag.StageHandshake, "broke off before it was a WebSocket"
	case errors.As(err, &op):
		f.text = fmt.Sprintf("the connection failed: %v", op.Err)
	default:
		f.stage, f.text, f.hint = diag.StageHandshake, "does not speak WebSocket", notOne
	}
	return f
}

const notOne = "is this the Matter server? Home Assistant itself is another: its URL belongs to threadmap login ha"

// refused makes one line of an HTTP answer that is no WebSocket.
func refused(resp *http.Response) *failure {
	f := &failure{stage: diag.StageHandshake}
	switch s := resp.StatusCode; {
	case s == http.StatusSwitchingProtocols:
		f.text, f.hint = "does not speak WebSocket", notOne
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		f.text, f.hint = fmt.Sprintf("does not let us in (%d)", s), "something before it wants a login: use the address of the server itself"
	case s == http.StatusBadGateway, s == http.StatusServiceUnavailable, s == http.StatusGatewayTimeout:
		f.text, f.hint = fmt.Sprintf("is not up (%d from what stands before it)", s), "start it, or try again in a minute"
	case s >= 300 && s <= 399:
		f.text, f.hint = fmt.Sprintf("sends us elsewhere (%d), which is not followed", s), "name that place itself"
	case s == http.StatusNotFound, s == http.StatusUpgradeRequired, s == http.StatusBadRequest, s >= 200 && s <= 299:
		f.text, f.hint = fmt.Sprintf("is no WebSocket (answered %d)", s), notOne
	default:
		f.text = strings.TrimSpace(fmt.Sprintf("answered %d %s", s, http.StatusText(s)))
	}
	return f
}
