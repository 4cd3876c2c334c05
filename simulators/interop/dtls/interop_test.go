package dtls

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/pskc"
)

var (
	password = []byte("475689122")
	wrong    = []byte("475689131")
)

// start runs the peer and gives its output, line by line.
func start(t *testing.T, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	peer := os.Getenv("THREADMAP_MBEDTLS_PEER")
	if peer == "" {
		t.Skip("no Mbed TLS peer in THREADMAP_MBEDTLS_PEER: the package comment says how to make one")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, peer, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// finish collects the rest of what the peer says.
func finish(t *testing.T, cmd *exec.Cmd, lines *bufio.Scanner) (said string, status int) {
	t.Helper()
	for lines.Scan() {
		said += lines.Text() + "\n"
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said, cmd.ProcessState.ExitCode()
}

func key(t *testing.T, b []byte) pskc.Secret {
	t.Helper()
	k, err := pskc.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Our client and an Mbed TLS server, also one that sends its handshake in
// fragments.
func TestClient(t *testing.T) {
	for _, mtu := range []int{0, 256, 508} {
		t.Run(fmt.Sprint("MTU ", mtu), func(t *testing.T) {
			cmd, lines := start(t, "server", hex.EncodeToString(password), fmt.Sprint(mtu))
			c, err := connect(t, lines, password)
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int{1, 20, 200} {
				sent := bytes.Repeat([]byte{byte(size)}, size)
				if _, err := c.Write(sent); err != nil {
					t.Fatal(err)
				}
				c.SetReadDeadline(time.Now().Add(20 * time.Second))
				got := make([]byte, 2000)
				if n, err := c.Read(got); err != nil || !bytes.Equal(got[:n], sent) {
					t.Fatalf("%x, %v", got[:n], err)
				}
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			said, status := finish(t, cmd, lines)
			if status != 0 || !strings.Contains(said, "up DTLSv1.2 TLS-ECJPAKE-WITH-AES-128-CCM-8") || !strings.Contains(said, "closed") {
				t.Errorf("the peer ended with %d: %s", status, said)
			}
		})
	}
}

func connect(t *testing.T, lines *bufio.Scanner, password []byte) (*dtls.Conn, error) {
	t.Helper()
	if !lines.Scan() {
		t.Fatal("the peer says nothing")
	}
	port, ok := strings.CutPrefix(lines.Text(), "port ")
	if !ok {
		t.Fatalf("the peer says %q", lines.Text())
	}
	raw, err := net.Dial("udp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return dtls.Client(ctx, raw, key(t, password), dtls.Config{})
}

func TestClientWithWrongKey(t *testing.T) {
	cmd, lines := start(t, "server", hex.EncodeToString(password), "0")
	begin := time.Now()
	_, err := connect(t, lines, wrong)
	if !errors.Is(err, dtls.ErrWrongKey) {
		t.Errorf("%v", err)
	}
	t.Logf("after %v: %v", time.Since(begin), err)
	if said, status := finish(t, cmd, lines); status != 3 {
		t.Errorf("the peer ended with %d: %s", status, said)
	}
}

func listen(t *testing.T, failed chan error) *dtls.Listener {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := dtls.Listen(pc, key(t, password), dtls.ListenConfig{Failed: func(_ netip.AddrPort, err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Our server and an Mbed TLS client.
func TestServer(t *testing.T) {
	l := listen(t, make(chan error, 10))
	_, port, _ := net.SplitHostPort(l.Addr().String())
	cmd, lines := start(t, "client", hex.EncodeToString(password), port)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := l.AcceptWithContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 2000)
	n := 0
	for {
		k, err := c.Read(b)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(b[:k]); err != nil {
			t.Fatal(err)
		}
		n++
	}
	said, status := finish(t, cmd, lines)
	if status != 0 || n != 3 || !strings.Contains(said, "closed") {
		t.Errorf("after %d messages the peer ended with %d: %s", n, status, said)
	}
}

func TestServerWithWrongKey(t *testing.T) {
	failed := make(chan error, 10)
	l := listen(t, failed)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	cmd, lines := start(t, "client", hex.EncodeToString(wrong), port)
	// A fatal alert is what the peer's client is told, at once.
	said, status := finish(t, cmd, lines)
	if status != 3 || !strings.Contains(said, "-0x7780") {
		t.Errorf("the peer ended with %d: %s", status, said)
	}
	if err := <-failed; !errors.Is(err, dtls.ErrWrongKey) {
		t.Errorf("%v", err)
	}
}
