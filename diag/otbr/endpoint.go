package otbr

import "threadmap/diag/internal/apiurl"

// rest is what the URLs of border routers' APIs have in common. A path is that
// of a reverse proxy.
var rest = apiurl.API{Of: "the border router", Plain: "http", Secure: "https", Port: "8081"}

// NormalizeURL turns what people type for a border router ("br.local",
// "192.0.2.7:8081", "fd00::1", "https://br.example/otbr") into a URL without user
// info that always names its port: 8081 where none is given, 443 for https.
func NormalizeURL(s string) (string, error) {
	at, err := rest.Parse(s)
	if err != nil {
		return "", err
	}
	return at.String(), nil
}
