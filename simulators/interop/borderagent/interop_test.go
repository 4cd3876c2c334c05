package borderagent

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A peer is the program that speaks with the agent.
type peer struct {
	t     *testing.T
	in    io.WriteCloser
	lines *bufio.Scanner
	cmd   *exec.Cmd
}

// connect starts an agent of the lab on a real socket, and the peer.
func connect(t *testing.T, m *mesh.Mesh, password []byte) (*borderagent.Agent, *peer) {
	t.Helper()
	program := os.Getenv("THREADMAP_MBEDTLS_COMMISSIONER")
	if program == "" {
		t.Skip("no Mbed TLS commissioner: the script with-mbedtls in this folder makes it and sets THREADMAP_MBEDTLS_COMMISSIONER")
	}
	a, err := borderagent.New(m.View(), m.Nodes[0].ExtAddr, borderagent.Options{Settle: -1})
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- a.Serve(pc) }()
	t.Cleanup(func() {
		a.Close()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, hex.EncodeToString(password), fmt.Sprint(pc.LocalAddr().(*net.UDPAddr).Port))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return a, &peer{t, in, bufio.NewScanner(out), cmd}
}

// hears waits for a line that contains all the words.
func (p *peer) hears(words ...string) {
	p.t.Helper()
	var said []string
next:
	for p.lines.Scan() {
		said = append(said, p.lines.Text())
		for _, w := range words {
			if !strings.Contains(p.lines.Text(), w) {
				continue next
			}
		}
		return
	}
	p.t.Fatalf("no line with %q in\n%s", words, strings.Join(said, "\n"))
}

// The captured conversation with three routers and a sleepy child, as the
// captured client said it. What answers has been compared TLV by TLV with the
// capture in simulators/borderagent; here it crosses another DTLS.
func TestCapturedConversation(t *testing.T) {
	m := mesh.Lab(0)
	a, p := connect(t, m, m.PSKc[:])
	p.hears("up DTLSv1.2 TLS-ECJPAKE-WITH-AES-128-CCM-8")
	f, err := os.Open(filepath.Join("..", "..", "borderagent", "testdata", "queries.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	answers := [][]string{ // in order, to what was sent
		{"< 644410017a3e0001ff0708fd000db800a00000"},                                         // c/ag
		{"ff1001010a0d7468726561646d61702d6c61620b02"},                                       // c/cp
		{"644410037a3e0003ff00080e0101010101010101026800050f"},                               // d/dg to the border router
		{"644410057a3e0005ff00080e0707070707070701028401"},                                   // to a sleepy child
		{"2102", "51091d2be85c020e0909090909090900", "1d001e001f188040000e0303030303030300"}, // d/dq: the child of 0x5c00
		nil, // its acknowledgement
		{"510a00080e040404040404040102c0001f18"}, nil,
		{"510b00080e050505050505051d2b0884010e07070707070707"}, nil,
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		_, sent, ok := strings.Cut(lines.Text(), " TX ")
		if !ok {
			continue
		}
		if len(answers) == 0 {
			t.Fatalf("nothing is known of what answers %s", sent)
		}
		if answers[0] != nil { // message ids of the captured nodes are not those of the simulated ones
			fmt.Fprintln(p.in, sent)
			p.hears(answers[0]...)
		}
		answers = answers[1:]
	}
	if len(answers) > 0 {
		t.Errorf("the conversation has no %q", answers)
	}
	p.in.Close()
	p.hears("closed")
	if err := p.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if s := a.Stats(); s.Sessions != 1 || s.ToMesh != 5 {
		t.Errorf("%+v", s)
	}
	if id, ok := a.Commissioner(); id != "threadmap-lab" || !ok {
		t.Errorf("without resigning the role is %q's, %v", id, ok)
	}
}

func TestWrongKey(t *testing.T) {
	m := mesh.Lab(0)
	_, p := connect(t, m, []byte("some other key!!"))
	p.hears("handshake: -0x7780") // a fatal alert came
	p.in.Close()
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("ended with %v", err)
	}
}

// An agent that ends says so.
func TestAgentCloses(t *testing.T) {
	m := mesh.Lab(0)
	a, p := connect(t, m, m.PSKc[:])
	p.hears("up ")
	a.Close()
	p.hears("closed by the agent")
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Error(err)
	}
}
