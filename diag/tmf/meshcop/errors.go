package meshcop

import (
	"errors"
	"fmt"
)

// Ends of a Session other than its own resigning.
var (
	// ErrJoining: the steering data admits a joiner, so somebody is adding a
	// device; commissioning must not be disturbed.
	ErrJoining = errors.New("somebody is adding a device to this network right now")
	// ErrRoleLost: the mesh no longer takes this session for its commissioner.
	ErrRoleLost = errors.New("the mesh gave the commissioner role to somebody else")
	// ErrSilent: the border agent has stopped answering.
	ErrSilent = errors.New("the border agent stopped answering")
	// ErrRefused: the border agent answers, but does not do its part.
	ErrRefused = errors.New("the border agent refused")
)

// A RoleTakenError says that another commissioner had the role for as long as
// was waited for it.
type RoleTakenError struct {
	Holder string // as it calls itself; "" where it was not told
}

func (e *RoleTakenError) Error() string {
	if e.Holder == "" {
		return "another commissioner has the commissioner role"
	}
	return fmt.Sprintf("another commissioner, %q, has the commissioner role", e.Holder)
}
