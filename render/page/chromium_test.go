package page_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"threadmap/render"
)

// The page is tested in a real browser: Chromium, driven by its DevTools
// protocol over two pipes, so that the tests open no port. What the tests need
// of the protocol is this file.

// A chromium is a running browser.
type chromium struct {
	out  *os.File
	mu   sync.Mutex
	next int
	wait map[int]chan reply
	save chan bool // a download ended: well or not
	tabs map[string]*tab
	dead error
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// A tab is a page in it.
type tab struct {
	t       testing.TB
	b       *chromium
	target  string
	session string
	mu      sync.Mutex
	wrong   []string // what the browser complained about
}

// startChromium starts a browser for the test, and skips the test where there
// is none.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			program = p
			break
		}
	}
	switch {
	case testing.Short():
		t.Skip("a browser takes seconds: not in -short")
	case runtime.GOOS == "windows":
		t.Skip("the pipes to the browser need a Unix system")
	case program == "":
		t.Skip("Chromium is not installed (Debian: apt-get install chromium)")
	}
	profile, err := os.MkdirTemp("", "threadmap-chromium") // not t.TempDir: the browser's helpers may outlive it for a moment
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + profile, "--no-first-run", "--no-default-browser-check",
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync", "--disable-background-networking", "--disable-component-update", "--disable-domain-reliability",
		"--disable-features=MediaRouter,DialMediaRouteProvider,OptimizationHints,Translate", "--host-resolver-rules=MAP * ~NOTFOUND", "--force-device-scale-factor=1", "--lang=en-US"}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses to sandbox root
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, append(args, "about:blank")...)
	cmd.WaitDelay = 5 * time.Second
	theirIn, ourOut, err1 := os.Pipe()
	ourIn, theirOut, err2 := os.Pipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &chromium{out: ourOut, wait: map[int]chan reply{}, save: make(chan bool, 16), tabs: map[string]*tab{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(ourIn)
	}()
	t.Cleanup(func() {
		if _, err := b.call("", "Browser.close", nil); err != nil {
			t.Logf("closing the browser: %v", err)
		}
		cancel()
		cmd.Wait() // it was told to end, or killed
		ourOut.Close()
		<-read
		ourIn.Close()
		os.RemoveAll(profile)
	})
	return b
}

// read hands out what the browser says until it ends. Messages end in a zero.
func (b *chromium) read(r *os.File) {
	in := bufio.NewReader(r)
	for {
		raw, err := in.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.dead = fmt.Errorf("the browser is gone: %w", err)
			for _, c := range b.wait {
				close(c)
			}
			b.wait = nil
			return
		}
		var m struct {
			ID        int
			SessionID string
			Method    string
			Params    json.RawMessage
			reply
		}
		if json.Unmarshal(raw[:len(raw)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		c, tab := b.wait[m.ID], b.tabs[m.SessionID]
		delete(b.wait, m.ID)
		b.mu.Unlock()
		if c != nil {
			c <- m.reply
		} else if tab != nil {
			tab.event(m.Method, m.Params)
		} else if m.Method == "Browser.downloadProgress" {
			var p struct{ State string }
			if json.Unmarshal(m.Params, &p) == nil && p.State != "inProgress" {
				b.save <- p.State == "completed"
			}
		}
	}
}

// patience bounds each answer of the browser on a slow machine.
const patience = 60 * time.Second

func (b *chromium) call(session, method string, params any) (json.RawMessage, error) {
	c := make(chan reply, 1)
	b.mu.Lock()
	if b.dead != nil {
		defer b.mu.Unlock()
		return nil, b.dead
	}
	b.next++
	id := b.next
	b.wait[id] = c
	m := map[string]any{"id": id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if session != "" {
		m["sessionId"] = session
	}
	raw, err := json.Marshal(m)
	if err == nil {
		_, err = b.out.Write(append(raw, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case r, ok := <-c:
		switch {
		case !ok:
			return nil, b.dead
		case r.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, r.Error.Message)
		}
		return r.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer in %v", method, patience)
	}
}

// event notes what goes wrong in a page.
func (x *tab) event(method string, params json.RawMessage) {
	var p struct {
		Entry            struct{ Level, Text string }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case method == "Runtime.exceptionThrown":
		x.wrong = append(x.wrong, p.ExceptionDetails.Text+" "+p.ExceptionDetails.Exception.Description)
	case method == "Log.entryAdded" && p.Entry.Level == "error":
		x.wrong = append(x.wrong, p.Entry.Text)
	}
}

// open shows a file in a tab of that size. The test fails when the browser
// complains about it: an exception, something its policy forbids.
func (b *chromium) open(t *testing.T, file string, width, height int) *tab {
	t.Helper()
	x := &tab{t: t, b: b}
	var made struct{ TargetID, SessionID string }
	x.must(&made, "", "Target.createTarget", map[string]any{"url": "about:blank"})
	x.target = made.TargetID
	x.must(&made, "", "Target.attachToTarget", map[string]any{"targetId": x.target, "flatten": true})
	x.session = made.SessionID
	b.mu.Lock()
	b.tabs[x.session] = x
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		x.must(nil, x.session, domain+".enable", nil)
	}
	x.size(width, height)
	x.must(nil, x.session, "Page.navigate", map[string]any{"url": "file://" + file})
	x.eval(nil, `new Promise(done => document.readyState === "complete" ? done() : addEventListener("load", done))`)
	t.Cleanup(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, w := range x.wrong {
			t.Errorf("the browser complains: %s", w)
		}
	})
	return x
}

func (x *tab) must(into any, session, method string, params any) {
	x.t.Helper()
	raw, err := x.b.call(session, method, params)
	if err == nil && into != nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) do(method string, params map[string]any) {
	x.t.Helper()
	x.must(nil, x.session, method, params)
}

// eval computes an expression in the page; a promise is awaited.
func (x *tab) eval(into any, js string) {
	x.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	x.must(&r, x.session, "Runtime.evaluate", map[string]any{"expression": js, "returnByValue": true, "awaitPromise": true, "userGesture": true})
	if r.ExceptionDetails != nil {
		x.t.Fatalf("%s: %s", js, r.ExceptionDetails.Exception.Description)
	}
	if into != nil {
		if err := json.Unmarshal(r.Result.Value, into); err != nil {
			x.t.Fatalf("%s: %v in %s", js, err, r.Result.Value)
		}
	}
}

func (x *tab) text(js string) string {
	x.t.Helper()
	var s string
	x.eval(&s, "String("+js+")")
	return s
}

func (x *tab) want(js, want string) {
	x.t.Helper()
	if got := x.text(js); got != want {
		x.t.Errorf("%s is %q, want %q", js, got, want)
	}
}

func (x *tab) size(width, height int) {
	x.t.Helper()
	x.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
}

func (x *tab) dark(on bool) {
	x.t.Helper()
	x.do("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": map[bool]string{true: "dark", false: "light"}[on]}}})
}

// key presses a key that has a name or is one character.
func (x *tab) key(name string, modifiers int) {
	x.t.Helper()
	codes := map[string]int{"Escape": 27, "Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
	p := map[string]any{"type": "keyDown", "key": name, "modifiers": modifiers, "windowsVirtualKeyCode": codes[name]}
	switch {
	case name == "Enter":
		p["text"] = "\r"
	case len(name) == 1:
		p["text"] = name
	}
	x.do("Input.dispatchKeyEvent", p)
	x.do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "modifiers": modifiers, "windowsVirtualKeyCode": codes[name]})
}

func (x *tab) typeText(s string) {
	x.t.Helper()
	x.do("Input.insertText", map[string]any{"text": s})
}

func (x *tab) mouse(kind string, at [2]float64, more map[string]any) {
	x.t.Helper()
	p := map[string]any{"type": kind, "x": at[0], "y": at[1], "button": "left", "buttons": 1, "clickCount": 1}
	for k, v := range more {
		p[k] = v
	}
	x.do("Input.dispatchMouseEvent", p)
}

// middle is where on the screen an element has its middle.
func (x *tab) middle(element string) [2]float64 {
	x.t.Helper()
	var at [2]float64
	x.eval(&at, "(() => { const r = ("+element+").getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()")
	return at
}

// click presses the mouse where an element is, whatever lies over it.
func (x *tab) click(element string) {
	x.t.Helper()
	at := x.middle(element)
	x.mouse("mousePressed", at, nil)
	x.mouse("mouseReleased", at, nil)
}

// download does something that saves one file, and returns it.
func (x *tab) download(what func()) (name string, content []byte) {
	x.t.Helper()
	dir := x.t.TempDir()
	x.must(nil, "", "Browser.setDownloadBehavior", map[string]any{"behavior": "allow", "downloadPath": dir, "eventsEnabled": true})
	what()
	select {
	case ok := <-x.b.save:
		if !ok {
			x.t.Fatal("the download was cut")
		}
	case <-time.After(patience):
		x.t.Fatal("nothing was saved")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		x.t.Fatalf("saved: %v, %v", files, err)
	}
	content, err = os.ReadFile(filepath.Join(dir, files[0].Name()))
	if err != nil {
		x.t.Fatal(err)
	}
	return files[0].Name(), content
}

// shot keeps a picture of the page in the folder that THREADMAP_SHOTS names.
func (x *tab) shot(name string) {
	x.t.Helper()
	dir := os.Getenv("THREADMAP_SHOTS")
	if dir == "" {
		return
	}
	var r struct{ Data string }
	x.must(&r, x.session, "Page.captureScreenshot", map[string]any{"format": "png"})
	b, err := base64.StdEncoding.DecodeString(r.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644)
	}
	if err != nil {
		x.t.Error(err)
	}
}

// pageFile writes the page of a document into a folder of the test.
func pageFile(t *testing.T, d *render.Document) string {
	t.Helper()
	var b strings.Builder
	if err := render.HTML(&b, d, render.Options{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mesh.html")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
