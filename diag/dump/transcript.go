package dump

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// split takes the answers out of a transcript of curl -i: a line with the
// command, HTTP headers, the body, and so again. Other content is one answer.
// Of the command only host and path of the URL are kept, for it may carry a
// token.
func split(b []byte) ([]*input, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return nil, errors.New("is UTF-16: save it as UTF-8")
	}
	b = bytes.TrimLeft(b, " \t\r\n")
	var parts []*input
	for len(b) > 0 {
		p := &input{}
		if isCurl(b) {
			line, rest := cutLine(b)
			p.host, p.request = urlOf(line)
			b = rest
		}
		end := nextCurl(b)
		body, err := stripHeaders(bytes.TrimLeft(b[:end], " \t\r\n"))
		b = b[end:]
		switch {
		case err != nil && len(parts) == 0 && len(b) == 0:
			return nil, err
		case err != nil:
			continue // the answer says that there is none
		}
		p.body = bytes.TrimSpace(body)
		if len(p.body) > 0 || p.request == "" {
			parts = append(parts, p)
		}
		if len(parts) == maxParts {
			break
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("is empty")
	}
	return parts, nil
}

var curl = []byte("$ curl ")

func isCurl(b []byte) bool { return bytes.HasPrefix(b, curl) }

func nextCurl(b []byte) int {
	if isCurl(b) {
		return 0
	}
	if i := bytes.Index(b, append([]byte("\n"), curl...)); i >= 0 {
		return i + 1
	}
	return len(b)
}

// stripHeaders cuts HTTP response headers off, those of interim answers too.
func stripHeaders(b []byte) ([]byte, error) {
	for range 8 {
		if !bytes.HasPrefix(b, []byte("HTTP/")) {
			return b, nil
		}
		status, rest := cutLine(b)
		fields := strings.Fields(string(status[:min(len(status), 100)]))
		if len(fields) >= 2 && len(fields[1]) == 3 && fields[1] >= "400" && fields[1] <= "599" {
			return nil, fmt.Errorf("is the answer %s of a web server, not what was asked for: ask again and save that", fields[1])
		}
		for len(rest) > 0 {
			var line []byte
			line, rest = cutLine(rest)
			if len(bytes.TrimSpace(line)) == 0 {
				break
			}
		}
		b = rest
	}
	return b, nil
}

// cutLine returns the first line, without its end, and the rest.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// urlOf finds host and path of the URL in a curl command.
func urlOf(line []byte) (host, path string) {
	for _, w := range strings.Fields(string(line[:min(len(line), 4096)])) {
		w = strings.Trim(w, `"'`)
		if !strings.HasPrefix(w, "http://") && !strings.HasPrefix(w, "https://") {
			continue
		}
		_, after, _ := strings.Cut(w, "://")
		after, _, _ = strings.Cut(after, "?")
		host, path, _ = strings.Cut(after, "/")
		if i := strings.LastIndexByte(host, '@'); i >= 0 { // user and password
			host = host[i+1:]
		}
		return host[:min(len(host), 100)], "/" + path
	}
	return "", ""
}
