package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	// lockWait is how long a program waits for another one. The lock is held
	// while a small file is written, so more means that something hangs.
	lockWait = 5 * time.Second
	// lockEvery is how often it looks.
	lockEvery = 20 * time.Millisecond
)

var errLocked = errors.New("locked")

// lock waits for the lock and returns what frees it. The lock file itself is
// never removed: whoever removed it would let two programs hold "the" lock.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := mkdir(s.Cache); err != nil {
		return nil, err
	}
	name := filepath.Join(s.Cache, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(lockWait)
	defer patience.Stop()
	again := time.NewTicker(lockEvery)
	defer again.Stop()
	for {
		err := tryLock(f)
		if err == nil {
			return func() { f.Close() }, nil // closing frees it
		}
		if !errors.Is(err, errLocked) {
			f.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		select {
		case <-again.C:
		case <-patience.C:
			f.Close()
			return nil, fmt.Errorf("%s: another threadmap has held it for %v: wait until it is done, or end it", name, lockWait)
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}
