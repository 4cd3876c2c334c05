package matterserver

import (
	"errors"
	"strings"

	"threadmap/diag/internal/apiurl"
)

// socket is what the URLs of Matter servers' WebSockets have in common.
var socket = apiurl.API{Of: "the Matter server", Plain: "ws", Secure: "wss", Alias: map[string]string{"http": "ws", "https": "wss"}, Port: "5580"}

// NormalizeURL turns what people type for a Matter server ("ha.local",
// "192.0.2.7:5580", "fd00::1", "http://ha.local:5580") into the URL of its
// WebSocket without user info: port 5580 where none is given (443 for wss) and
// path /ws.
func NormalizeURL(s string) (string, error) {
	at, err := parseEndpoint(s)
	if err != nil {
		return "", err
	}
	return at.String(), nil
}

// parseEndpoint reads where a server's WebSocket is.
func parseEndpoint(s string) (apiurl.URL, error) {
	if strings.Contains(s, "hassio_ingress") {
		return apiurl.URL{}, errors.New("the URL leads through Home Assistant's ingress, which needs its session: name the server itself, or log in to Home Assistant")
	}
	at, err := socket.Parse(s)
	if err != nil {
		return apiurl.URL{}, err
	}
	if at.More {
		return apiurl.URL{}, errors.New("the URL of the Matter server goes on after its path: leave out what follows the \"?\" or \"#\"")
	}
	if at.Path == "" {
		at.Path = "/ws"
	}
	return at, nil
}
