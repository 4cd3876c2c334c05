// Package icdtest prints verdicts in tests.
//
// The reader is beside the tests that plant something in a home and look at
// what package icd concludes; the product does not import it.
package icdtest

import (
	"fmt"
	"strings"

	"threadmap/diag/icd"
)

// Show is the whole of a verdict that is wrong: every link and why, every
// cause, and what speaks for and against it.
func Show(v *icd.Verdict) string {
	var b strings.Builder
	for _, l := range v.Chain {
		fmt.Fprintf(&b, "  %s %s %v\n", l.Link, l.State, l.Because)
	}
	for _, c := range v.Causes {
		fmt.Fprintf(&b, "  %s %s for %q against %q\n", c.ID, c.Confidence, c.For, c.Against)
	}
	return b.String()
}

// Causes are the first four causes in one line, for a table: "R1:high N5:low …".
func Causes(v *icd.Verdict) string {
	var causes []string
	for i, c := range v.Causes {
		if i == 4 {
			causes = append(causes, "…")
			break
		}
		causes = append(causes, c.ID+":"+c.Confidence.String())
	}
	return strings.Join(causes, " ")
}
