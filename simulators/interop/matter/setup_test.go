//go:build linux

package matter

import (
	"testing"

	"threadmap/diag/matter/setup"
)

// TestCodes: both codes that matter.js prints of a node say its passcode and
// discriminator, and we print the same.
func TestCodes(t *testing.T) {
	nodes := fifteen()
	h := startNodes(t, nodes...)
	for _, n := range nodes {
		for i, text := range h.codes[n.ID] {
			p, err := setup.Parse(text)
			if err != nil || len(p) != 1 {
				t.Fatalf("%s: %v, %v", text, p, err)
			}
			if p[0].Passcode.Number() != n.Passcode || !p[0].Discriminator.Matches(n.Discriminator) || p[0].Discriminator.Short != (i == 0) {
				t.Errorf("%s: %v", text, p[0])
			}
			again := setup.QRCode
			if i == 0 {
				again = func(p ...setup.Payload) (string, error) { return p[0].ManualCode() }
			}
			if back, err := again(p...); err != nil || back != text {
				t.Errorf("%s, %v, want %s", back, err, text)
			}
		}
	}
}
