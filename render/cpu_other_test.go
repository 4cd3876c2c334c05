//go:build !unix

package render

import "time"

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }
