package pskc

import (
	"fmt"
	"strings"
	"testing"
)

// Captured from OpenThread border router of 2026-08: its answer to a request
// for a one-time code was {"tap":"475689122",…}.
const captured = "475689122"

func TestParseCode(t *testing.T) {
	for _, s := range []string{captured, "475 689 122", "475-689-122\n", "\t4 7 5 6 8 9 1 2 2 "} {
		got, err := ParseCode(s)
		if err != nil || string(got.Bytes()) != captured {
			t.Errorf("%q: %q, %v", s, got.Bytes(), err)
		}
	}
	for _, s := range []string{"", " ", "47568912", "4756891222", "475689122" + strings.Repeat(" ", 100), "47568912x", "+475689122", "٤٧٥٦٨٩١٢٢", "475689123"} {
		if got, err := ParseCode(s); err == nil || !got.IsZero() {
			t.Errorf("%q was accepted", s)
		} else if s != "" && s != " " && strings.Contains(err.Error(), s) {
			t.Errorf("%q: the error tells the code: %v", s, err)
		}
	}
}

// What the check digit is for: every wrong digit and every swap of neighbours
// is found, in every place, whatever the others are.
func TestCheckDigitFindsErrors(t *testing.T) {
	for n := range 1000 {
		head := fmt.Sprintf("%08d", n*99991)
		check, ok := CheckDigit(head)
		if !ok {
			t.Fatal(head)
		}
		code := []byte(head + string(check))
		if _, err := ParseCode(string(code)); err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		for i, d := range code {
			for e := byte('0'); e <= '9'; e++ {
				if code[i] = e; e != d {
					if _, err := ParseCode(string(code)); err == nil {
						t.Fatalf("%s%c: %c in place %d was accepted", head, check, e, i)
					}
				}
			}
			code[i] = d
			if i > 0 && code[i-1] != d {
				code[i-1], code[i] = code[i], code[i-1]
				if _, err := ParseCode(string(code)); err == nil {
					t.Fatalf("%s%c: the swap at place %d was accepted", head, check, i)
				}
				code[i-1], code[i] = code[i], code[i-1]
			}
		}
	}
}

func TestCheckDigit(t *testing.T) {
	if d, ok := CheckDigit(captured[:8]); !ok || d != captured[8] {
		t.Errorf("%c, %v", d, ok)
	}
	for _, s := range []string{"", "1234567", "123456789", "1234567x"} {
		if _, ok := CheckDigit(s); ok {
			t.Errorf("%q has a check digit", s)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add(captured)
	f.Add("475 689-122")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseCode(s)
		if err != nil {
			return
		}
		digits := got.Bytes()
		if d, ok := CheckDigit(string(digits[:8])); !ok || d != digits[8] {
			t.Fatalf("%q was accepted", s)
		}
	})
}
