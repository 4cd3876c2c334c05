package main

import (
	"errors"
	"strings"

	"threadmap/diag/otbr"
)

// checkURL refuses what is no place to ask, and gives a URL its usual form. It
// never quotes what may hold a password.
func checkURL(s string) (string, error) {
	if strings.Contains(s, "@") {
		return "", errors.New("a URL must not hold a user name or a password: leave out what stands before the @")
	}
	return otbr.NormalizeURL(s)
}
