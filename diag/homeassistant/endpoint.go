package homeassistant

import (
	"errors"

	"threadmap/diag/internal/apiurl"
)

// api is what the URLs of Home Assistants have in common: that of its WebSocket
// is as good.
var api = apiurl.API{Of: "Home Assistant", Plain: "http", Secure: "https", Alias: map[string]string{"ws": "http", "wss": "https"}, Port: "8123"}

// NormalizeURL turns what people type or copy for a Home Assistant
// ("homeassistant.local", "192.0.2.7:8123", "fd00::1",
// "http://ha.local:8123/lovelace/0") into a URL that always names its port: 8123
// where none is given, 443 for https.
func NormalizeURL(s string) (string, error) {
	at, err := parseEndpoint(s)
	if err != nil {
		return "", err
	}
	return at.String(), nil
}

// parseEndpoint reads where a Home Assistant is. It has no path: Home Assistant
// can't be served below one, so that what was copied is a page of it.
func parseEndpoint(s string) (apiurl.URL, error) {
	at, err := api.Parse(s)
	if err != nil {
		return apiurl.URL{}, err
	}
	if at.User != nil {
		return apiurl.URL{}, errors.New("the URL of Home Assistant has a user name in it: leave it out, the token is enough")
	}
	at.Path = ""
	return at, nil
}
