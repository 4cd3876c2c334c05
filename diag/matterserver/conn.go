package matterserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"threadmap/diag"
	"threadmap/diag/matterserver/wsdoc"
)

// Bounds of what a server may send. The nodes of a large home are some 20 MB.
const (
	maxMessage = 64 << 20
	maxTotal   = 256 << 20
)

// Deadlines of single steps, each inside the probe's.
const (
	greetingWithin = 5 * time.Second
	writeWithin    = 10 * time.Second
	listWithin     = 30 * time.Second // all nodes: a long document of a small computer
	quickWithin    = 5 * time.Second  // what the server knows by itself
	// readWithin is for a node that is awake. Mostly it takes 0.1 to 1 s; with
	// a session to be made anew over a poor link, some seconds.
	readWithin = 15 * time.Second
	// sleepyWithin is for one that sleeps: some poll intervals.
	sleepyWithin = 45 * time.Second
)

// A conn is one conversation with one server: answers find their questions by
// message id, events are passed over.
type conn struct {
	ws       *websocket.Conn
	ctx      context.Context // ends with the conversation
	cancel   context.CancelFunc
	done     chan struct{} // closed when nothing more can come
	greeting wsdoc.Greeting
	event    func(frame []byte) // is given events, by the reader; nil: they are passed over

	mu      sync.Mutex
	last    uint64 // message id
	waiting map[string]chan wsdoc.Message
	why     *failure // why nothing more can come
}

// open connects and waits for the greeting.
func open(ctx context.Context, url string, dial Dialer) (*conn, error) {
	return openListening(ctx, url, dial, nil)
}

// openListening is open with what is done with every event, whose frame is the
// callee's.
func openListening(ctx context.Context, url string, dial Dialer, event func(frame []byte)) (*conn, error) {
	dialing, stop := context.WithTimeout(ctx, connectWithin)
	ws, err := dial(dialing, url)
	stop()
	if err != nil {
		return nil, err
	}
	if ws == nil {
		return nil, errors.New("no connection")
	}
	ws.SetReadLimit(maxMessage)
	c := &conn{ws: ws, done: make(chan struct{}), waiting: map[string]chan wsdoc.Message{}, event: event}
	c.ctx, c.cancel = context.WithCancel(ctx)
	greeted := make(chan error, 1)
	go c.listen(greeted)
	timer := time.NewTimer(greetingWithin)
	defer timer.Stop()
	select {
	case err = <-greeted:
	case <-timer.C:
		err = &failure{stage: diag.StageHandshake, text: fmt.Sprintf("said nothing within %v", greetingWithin), hint: notOne}
	case <-ctx.Done():
		err = &failure{stage: diag.StageHandshake, text: "the time was over before it said anything", over: true}
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// close ends the conversation, and returns when nothing of it runs any more.
func (c *conn) close() {
	c.cancel()
	c.ws.CloseNow()
	<-c.done
}

// listen reads until the conversation is over. It tells greeted when the server
// has said what it is, or why it never will.
func (c *conn) listen(greeted chan<- error) {
	defer close(c.done)
	first, total := true, 0
	end := func(f *failure) {
		f.over = true
		c.mu.Lock()
		c.why = f
		c.mu.Unlock()
		if first {
			greeted <- f
		}
	}
	for {
		kind, b, err := c.ws.Read(c.ctx)
		if err != nil {
			end(brokenOff(err, first))
			return
		}
		if total += len(b); total > maxTotal {
			end(&failure{stage: diag.StageParse, text: fmt.Sprintf("sent more than %d MiB", maxTotal>>20), hint: notOne})
			return
		}
		m, err := wsdoc.Parse(b)
		switch {
		case errors.Is(err, wsdoc.ErrCutShort): // the library takes a connection that ends between two frames for the end of the message
			end(&failure{stage: diag.StageAsk, text: "broke off in the middle of a message"})
			return
		case err != nil || kind != websocket.MessageText || first && m.Greeting == nil:
			f := &failure{stage: diag.StageParse, text: "sent something that is no message of a Matter server"}
			if first {
				f.hint = notOne
			}
			end(f)
			return
		case first:
			c.greeting, first = *m.Greeting, false
			greeted <- nil
		case m.Event == "server_shutdown":
			end(&failure{stage: diag.StageAsk, text: "shut down meanwhile", hint: "try again in a minute"})
			return
		case m.Event != "":
			if c.event != nil {
				c.event(b)
			}
		case m.ID != "":
			c.mu.Lock()
			to := c.waiting[m.ID]
			delete(c.waiting, m.ID)
			c.mu.Unlock()
			if to != nil { // else the answer to a question that was given up
				to <- m
			}
		}
	}
}

// brokenOff makes one line of an error while reading.
func brokenOff(err error, first bool) *failure {
	f := &failure{stage: diag.StageAsk, text: "broke off the connection"}
	var closed websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		f.stage, f.text = diag.StageParse, fmt.Sprintf("sent a message of more than %d MiB", maxMessage>>20)
		f.hint = notOne
	case errors.As(err, &closed):
		f.text = fmt.Sprintf("closed the connection (%d)", int(closed.Code))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.text = "broke off the connection"
	}
	if first {
		f.stage = diag.StageHandshake
		f.text += " before it said what it is"
	}
	return f
}

// broken is why nothing more can be asked, nil while it can.
func (c *conn) broken() *failure {
	select {
	case <-c.done:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.why
	default:
		return nil
	}
}

// call asks one question and waits for its answer.
func (c *conn) call(ctx context.Context, limit time.Duration, command string, args any) (json.RawMessage, error) {
	answer := make(chan wsdoc.Message, 1)
	c.mu.Lock()
	c.last++
	id := strconv.FormatUint(c.last, 10)
	c.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	question, err := json.Marshal(struct {
		ID      string `json:"message_id"`
		Command string `json:"command"`
		Args    any    `json:"args,omitempty"`
	}{id, command, args})
	if err != nil {
		return nil, &failure{stage: diag.StageAsk, text: command + " can't be written as JSON"}
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	// A write that is cut short costs the connection, so only one that has
	// hung for long is.
	writing, stop := context.WithTimeout(c.ctx, writeWithin)
	err = c.ws.Write(writing, websocket.MessageText, question)
	stop()
	if err != nil {
		c.cancel()
		<-c.done
	}
	select {
	case m := <-answer:
		if m.Refusal != nil {
			return nil, declined(command, m.Refusal)
		}
		return m.Result, nil
	case <-timer.C:
		return nil, &failure{stage: diag.StageAsk, text: fmt.Sprintf("did not answer %s within %v", command, limit)}
	case <-ctx.Done():
		return nil, &failure{stage: diag.StageAsk, text: fmt.Sprintf("the time was over before it answered %s", command), over: true}
	case <-c.done:
	}
	select {
	case m := <-answer: // its last word
		if m.Refusal != nil {
			return nil, declined(command, m.Refusal)
		}
		return m.Result, nil
	default:
	}
	if ctx.Err() != nil {
		return nil, &failure{stage: diag.StageAsk, text: fmt.Sprintf("the time was over before it answered %s", command), over: true}
	}
	f := *c.broken()
	return nil, &f
}
