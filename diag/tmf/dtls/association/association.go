package association

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"time"

	"threadmap/diag/tmf/ecjpake"
)

// A state is what has happened so far; its names are facts.
type state uint8

const (
	// A client's.
	clientCreated state = iota
	clientHelloSent
	serverHelloRead
	serverKeyExchangeRead
	clientFinishedSent

	// A server's.
	serverCreated
	serverHelloDoneSent
	clientKeyExchangeRead

	// Of both.
	established
	ended
)

// Bounds of what is kept for somebody who may never come.
const (
	maxEarly       = 8        // records of epoch 1 that overtook the key exchange
	maxEarlyOctets = 16 << 10 // of all of them
	maxQueue       = 256      // application data that was not fetched yet
	maxQueueOctets = 1 << 20
	// maxAnswers bounds how often a server repeats a flight, and an ended side
	// its alert, because the other one asks again.
	maxAnswers = 32
)

// A clearRecord is a record of a flight. It is kept in the clear: when the
// flight is sent again, it has new sequence numbers.
type clearRecord struct {
	typ   contentType
	epoch uint16
	body  []byte
}

// An Association is one side of a DTLS association. It is not safe for
// concurrent use.
//
// After each call of Start, Receive, Timeout, Send or Close, send what Datagrams
// gives, and look at Established, Err and Messages.
type Association struct {
	cfg      Config
	role     ecjpake.Role
	state    state
	complete bool         // it was established at some time
	err      error        // why it ended
	parting  *clearRecord // the alert with which this side ended it

	agreement      agreement
	roundOne       []byte
	random         [32]byte
	peerRandom     [32]byte
	cookie         []byte
	verifyRequests int    // HelloVerifyRequests answered
	helloSeq       uint16 // the message_seq of the ClientHello that a server answered
	master         []byte
	transcript     hash.Hash

	nextSeq uint16 // message_seq of the next own message
	inbox   reassembly
	flight  []clearRecord
	sent    int // transmissions of flights
	repeats int // of this flight
	answers int

	epoch    uint16    // of what is written
	writeSeq [2]uint64 // by epoch
	seal     *protection
	open     *protection
	window   replayWindow // of epoch 1
	early    [][]byte     // records of epoch 1 that came before the keys
	earlyLen int

	out     [][]byte
	in      [][]byte
	inLen   int
	dropped int
}

func newAssociation(role ecjpake.Role, password []byte, cfg Config) (*Association, error) {
	a := &Association{cfg: cfg.withDefaults(), role: role, transcript: sha256.New()}
	s := a.cfg.script
	if a.agreement = s.agreement; a.agreement == nil {
		e, err := ecjpake.New(role, password, s.scalars)
		if err != nil {
			return nil, err
		}
		a.agreement = e
	}
	if s.random != nil {
		a.random = *s.random
	} else {
		rand.Read(a.random[:])
	}
	var err error
	if a.roundOne, err = a.agreement.RoundOne(); err != nil {
		a.agreement.Close()
		return nil, err
	}
	return a, nil
}

// Established reports whether the handshake is complete and the association has
// not ended.
func (a *Association) Established() bool { return a.state == established }

// Err is why the association ended; nil while it has not.
func (a *Association) Err() error { return a.err }

// Datagrams are to be sent, in this order. Each call gives those that came up
// since the last one.
func (a *Association) Datagrams() [][]byte {
	out := a.out
	a.out = nil
	return out
}

// Messages is the application data that came in since the last call, a slice
// for each record. There is none before the handshake is complete. What was
// received before the association ended can be fetched after it.
func (a *Association) Messages() [][]byte {
	if !a.complete {
		return nil
	}
	in := a.in
	a.in, a.inLen = nil, 0
	return in
}

// Dropped is how many records of application data were lost because nobody
// fetched those before them.
func (a *Association) Dropped() int { return a.dropped }

// Sent counts the transmissions of flights. When it has grown, Wait begins anew.
func (a *Association) Sent() int { return a.sent }

// Wait is how long after the last transmission Timeout is to be called; 0 while
// nothing is waited for. For a server it is the time that its handshake has in
// all, from its creation.
func (a *Association) Wait() time.Duration {
	switch {
	case a.state >= established || a.state == clientCreated:
		return 0
	case a.role == ecjpake.Server:
		return a.cfg.HandshakeTime
	}
	w := a.cfg.FirstWait
	for range a.repeats {
		if w >= a.cfg.MaxWait {
			break
		}
		w *= 2
	}
	return min(w, max(a.cfg.MaxWait, a.cfg.FirstWait))
}

// Timeout says that Wait is over. A client repeats its flight or gives up; a
// server gives up.
func (a *Association) Timeout() {
	if a.state >= established || a.state == clientCreated {
		return
	}
	if a.role == ecjpake.Client && a.repeats < a.cfg.Repeats {
		a.repeats++
		a.transmit()
		return
	}
	a.end(a.timeoutError())
}

func (a *Association) timeoutError() error {
	switch a.state {
	case clientHelloSent:
		return fmt.Errorf("%w to the ClientHello, sent %d times: is a border agent at this address and port?", ErrTimeout, a.repeats+1)
	case clientFinishedSent:
		return fmt.Errorf("%w to the Finished, sent %d times: the key may be wrong, or the network too lossy", ErrTimeout, a.repeats+1)
	case serverCreated, serverHelloDoneSent, clientKeyExchangeRead:
		return fmt.Errorf("%w: the client did not complete its handshake within %v", ErrTimeout, a.cfg.HandshakeTime)
	}
	return fmt.Errorf("%w: the flight of the server stayed incomplete, asked for %d times", ErrTimeout, a.repeats+1)
}

// Send puts application data into a record, which is then among Datagrams.
func (a *Association) Send(p []byte) error {
	switch {
	case a.state == ended:
		return a.err
	case a.state != established:
		return fmt.Errorf("the handshake is not complete")
	case len(p) > a.cfg.MaxSend:
		return fmt.Errorf("%w: %d octets, the limit is %d", ErrTooLong, len(p), a.cfg.MaxSend)
	case a.writeSeq[1] >= maxSeq:
		a.end(fmt.Errorf("all sequence numbers are used up"))
		return a.err
	}
	a.out = append(a.out, a.appendRecord(nil, clearRecord{typeApplicationData, 1, p}))
	return nil
}

// Close ends the association and tells the peer.
func (a *Association) Close() {
	if a.state == ended {
		return
	}
	if a.state != clientCreated && a.state != serverCreated {
		a.sendAlert(levelWarning, CloseNotify)
	}
	a.end(ErrClosed)
}

// Abandon ends the association without a word to the peer, who has begun
// another one.
func (a *Association) Abandon() {
	if a.state != ended {
		a.end(ErrAbandoned)
	}
}

// end ends the association and forgets the secrets of the handshake.
func (a *Association) end(err error) {
	a.state, a.err, a.answers = ended, err, 0
	a.forget()
	a.flight, a.early, a.inbox = nil, nil, reassembly{}
}

// forget wipes what only the handshake needs.
func (a *Association) forget() {
	a.agreement.Close()
	clear(a.master)
	a.master = nil
}

// establish ends the handshake.
func (a *Association) establish() {
	a.state, a.complete = established, true
	a.forget()
	a.inbox = reassembly{}
	a.answers = 0
}

// derive makes the keys of epoch 1 from the premaster secret.
func (a *Association) derive() *fault {
	client, server := a.random, a.peerRandom
	if a.role == ecjpake.Server {
		client, server = server, client
	}
	if a.master = a.cfg.script.master; a.master == nil {
		premaster, err := a.agreement.Premaster()
		if err != nil {
			return &fault{IllegalParameter, err}
		}
		a.master = masterSecret(premaster, client, server)
		clear(premaster)
	}
	k := newKeyBlock(a.master, client, server)
	a.seal, a.open = newProtection(k.clientKey, k.clientIV), newProtection(k.serverKey, k.serverIV)
	if a.role == ecjpake.Server {
		a.seal, a.open = a.open, a.seal
	}
	return nil
}

// verifyData is the content of the client's or the server's Finished that
// follows what is in the transcript.
func (a *Association) verifyData(fromClient bool) []byte {
	return verifyData(a.master, fromClient, a.transcript.Sum(nil))
}

// checkFinished compares a Finished of the peer and adds it to the transcript.
func (a *Association) checkFinished(m message) *fault {
	want := a.verifyData(a.role == ecjpake.Server)
	if !hmac.Equal(m.body, want) {
		return faultf(DecryptError, "the peer's Finished does not fit: the handshake was tampered with")
	}
	a.transcript.Write(m.marshal())
	return nil
}
