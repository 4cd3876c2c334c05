package restdoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The walk over a document does not build a tree: it hands out the octets of
// each member and element, so that counting and skipping cost no memory. An
// entry is checked with json.Valid before anything in it is believed; the
// frame around the entries is not, so that a document cut short still gives the
// entries before the cut.

var (
	errCut    = errors.New("the document ends in the middle")
	errSyntax = errors.New("this is not JSON")
	errDeep   = fmt.Errorf("nested deeper than %d levels", maxDepth)
	errMany   = errors.New("more entries than the limit; the rest was left out")
)

// A value is the text of one JSON value.
type value []byte

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// end finds the end of the value that begins at b[i]. Where the value is cut
// short, end is len(b) and the error errCut.
func end(b []byte, i int) (int, error) {
	if i >= len(b) {
		return i, errCut
	}
	switch b[i] {
	case '"':
		return endString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				j, err := endString(b, i)
				if err != nil {
					return j, err
				}
				i = j
				continue
			case '{', '[':
				if depth++; depth > maxDepth {
					return len(b), errDeep
				}
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1, nil
				}
			}
			i++
		}
		return i, errCut
	}
	from := i
	for i < len(b) && !strings.ContainsRune(",]} \t\n\r", rune(b[i])) {
		i++
	}
	if i == from {
		return i, errSyntax
	}
	return i, nil
}

func endString(b []byte, i int) (int, error) {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1, nil
		}
	}
	return len(b), errCut
}

// members calls each with the lower-cased name and the value of every member of
// the object v, until each says false. A value that is cut short is handed out
// as far as it goes, and then errCut returned.
func members(v []byte, each func(key string, v value) bool) error {
	i, err := open(v, '{', '}')
	if i == 0 {
		return err
	}
	for range maxKeys {
		if i >= len(v) {
			return errCut
		}
		if v[i] != '"' {
			return errSyntax
		}
		j, err := endString(v, i)
		if err != nil {
			return err
		}
		key, ok := text(v[i:j])
		if !ok {
			return errSyntax
		}
		if i = skipSpace(v, j); i >= len(v) {
			return errCut
		}
		if v[i] != ':' {
			return errSyntax
		}
		i = skipSpace(v, i+1)
		j, err = end(v, i)
		if (err == nil || err == errCut) && j > i && !each(strings.ToLower(key), v[i:j]) {
			return nil
		}
		if err != nil {
			return err
		}
		if i, err = next(v, j, '}'); i == 0 {
			return err
		}
	}
	return errMany
}

// elements calls each with every whole element of the array v, at most limit
// times, until each says false.
func elements(v []byte, limit int, each func(v value) bool) error {
	i, err := open(v, '[', ']')
	if i == 0 {
		return err
	}
	for range limit {
		j, err := end(v, i)
		if err != nil {
			return err
		}
		if !each(v[i:j]) {
			return nil
		}
		if i, err = next(v, j, ']'); i == 0 {
			return err
		}
	}
	return errMany
}

// open finds where the first member or element of v begins, 0 where there is
// none: v is empty, which is no error, or does not begin as it should.
func open(v []byte, opening, closing byte) (int, error) {
	if first(v) != opening {
		return 0, errSyntax
	}
	i := skipSpace(v, skipSpace(v, 0)+1)
	if i < len(v) && v[i] == closing {
		return 0, nil
	}
	return i, nil
}

// next finds where the member or element begins that follows the one that ends
// at v[i], 0 where none follows: v is closed, which is no error, or cut short.
func next(v []byte, i int, closing byte) (int, error) {
	switch i = skipSpace(v, i); {
	case i >= len(v):
		return 0, errCut
	case v[i] == closing:
		return 0, nil
	case v[i] == ',':
		return skipSpace(v, i+1), nil
	}
	return 0, errSyntax
}

// first is the first octet of v that is no space, zero for none.
func first(v []byte) byte {
	if i := skipSpace(v, 0); i < len(v) {
		return v[i]
	}
	return 0
}

// text reads a JSON string.
func text(v []byte) (string, bool) {
	if len(v) < 2 || v[0] != '"' {
		return "", false
	}
	for _, c := range v[1 : len(v)-1] {
		if c == '\\' || c < 0x20 || c >= 0x80 {
			var s string
			if json.Unmarshal(v, &s) != nil {
				return "", false
			}
			return s, true
		}
	}
	return string(v[1 : len(v)-1]), true
}
