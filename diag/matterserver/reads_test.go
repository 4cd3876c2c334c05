package matterserver

import (
	"testing"

	"threadmap/diag"
)

// TestAwake: what may sleep is left alone.
func TestAwake(t *testing.T) {
	icd := diag.Some(diag.ICD{})
	for _, c := range []struct {
		r    diag.Report
		want bool
	}{
		{diag.Report{Role: diag.RoleLeader}, true}, {diag.Report{Role: diag.RoleRouter}, true}, {diag.Report{Role: diag.RoleREED}, true}, {diag.Report{Role: diag.RoleEndDevice}, true},
		{diag.Report{Role: diag.RoleSleepyEndDevice}, false}, {diag.Report{Role: diag.RoleDetached}, false}, {diag.Report{}, false},
		{diag.Report{Role: diag.RoleEndDevice, ICD: icd}, false}, {diag.Report{Role: diag.RoleSleepyEndDevice, ICD: icd}, false},
	} {
		if awake(&c.r) != c.want {
			t.Errorf("%q, ICD %v: awake %v", c.r.Role, c.r.ICD.Known(), !c.want)
		}
	}
}
