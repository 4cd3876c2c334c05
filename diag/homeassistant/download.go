package homeassistant

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"threadmap/diag"
	"threadmap/diag/homeassistant/hadoc"
)

const diagnosticsPath = "/api/diagnostics/config_entry/"

// download fetches the diagnostics of an integration's entry. Where the answer
// broke off, what came of it is returned beside the error.
//
// The WebSocket has accepted the token before, so a 401 means that this user may
// not. Home Assistant counts it as a wrong login all the same: the caller must
// not ask for another download then.
func (c *client) download(ctx context.Context, entry string) ([]byte, error) {
	const what = "the diagnostics download"
	if !isEntryID(entry) {
		return nil, &failure{stage: diag.StageParse, text: "names an integration's entry in a way that can't be asked for"}
	}
	limit := c.pace.scale(downloadWithin)
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(inner, http.MethodGet, c.at.String()+diagnosticsPath+entry, nil)
	if err != nil {
		return nil, &failure{stage: diag.StageConnect, text: "its URL can't be used"}
	}
	req.Header.Set("Authorization", "Bearer "+c.login.Token.Text())
	req.Header.Set("Accept-Encoding", "identity") // what is not compressed can't be a bomb
	req.Header.Set("User-Agent", "threadmap")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(ctx, err, what, limit)
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		return nil, &failure{stage: diag.StageAsk, http: code, text: "does not let this user have " + what + " (401)", hint: "log in with a token of an administrator"}
	case code == http.StatusNotFound:
		return nil, &failure{stage: diag.StageAsk, http: code, text: "has no diagnostics of this integration (404)", hint: "Home Assistant may be too old for it, or the integration is not loaded"}
	case code != http.StatusOK:
		return nil, c.status(code, what)
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, &failure{stage: diag.StageParse, text: "answered " + what + " compressed, which was not asked for"}
	}
	if resp.ContentLength > hadoc.MaxBytes {
		return nil, tooMuch(what)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, hadoc.MaxBytes+1))
	if len(b) > hadoc.MaxBytes {
		return nil, tooMuch(what)
	}
	b = c.login.Token.scrub(b)
	if err != nil {
		return b, c.explain(ctx, err, what, limit)
	}
	return b, nil
}

func tooMuch(what string) *failure {
	return &failure{stage: diag.StageParse, text: fmt.Sprintf("answered more than %d MiB to %s", hadoc.MaxBytes>>20, what)}
}

// isEntryID reports whether s is an id of Home Assistant: hexadecimal digits, or
// a ULID.
func isEntryID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == ""
}
