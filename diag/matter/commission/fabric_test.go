package commission

import (
	"sync"

	"threadmap/diag/matter/fabric"
)

var fuzzAuthority = sync.OnceValue(func() *fabric.Authority {
	a, err := fabric.New(fabric.Config{})
	if err != nil {
		panic(err)
	}
	return a
})
