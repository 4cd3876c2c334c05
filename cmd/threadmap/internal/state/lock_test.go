package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestLockOfADeadProcess: a program that was killed while it held the lock
// blocks nobody.
func TestLockOfADeadProcess(t *testing.T) {
	const env = "THREADMAP_TEST_HOLD"
	if dir := os.Getenv(env); dir != "" { // the program that will be killed
		if _, err := (&Store{Config: dir, Cache: dir}).lock(context.Background()); err != nil {
			t.Fatal(err)
		}
		fmt.Println("held")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	s := newStore(t)
	child := exec.Command(os.Args[0], "-test.run=^TestLockOfADeadProcess$")
	child.Env = append(os.Environ(), env+"="+s.Cache)
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "held\n" {
		t.Fatalf("the other program says %q, %v", line, err)
	}
	f, err := os.OpenFile(filepath.Join(s.Cache, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := tryLock(f); !errors.Is(err, errLocked) {
		t.Fatalf("a held lock gives %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	unlock, err := s.lock(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
