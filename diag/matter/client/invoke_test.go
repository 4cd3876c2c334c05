package client

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// fields is a command's structure.
func fields(t *testing.T, n uint64) []byte {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutUint(tlv.Context(0), n)
	e.End()
	b, err := e.Bytes()
	ok(t, err)
	return b
}

func command(n uint32) im.CommandPath { return im.CommandPath{Cluster: 0x30, Command: n} }

func TestInvoke(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		s := w.session()
		synctest.Wait()
		before := w.controller.Stats()
		a, err := Invoke(t.Context(), s, command(0), fields(t, 60))
		ok(t, err)
		if a.IsStatus || a.Path != command(1) || !bytes.HasSuffix(a.Fields, fields(t, 60)[1:]) {
			t.Errorf("%+v", a)
		}
		synctest.Wait()
		// InvokeRequest and an acknowledgement; InvokeResponse.
		if after := w.controller.Stats(); after.Sent-before.Sent != 2 || after.Received-before.Received != 1 {
			t.Errorf("%d datagrams sent, %d received", after.Sent-before.Sent, after.Received-before.Received)
		}
		a, err = Invoke(t.Context(), s, command(3), nil)
		ok(t, err)
		if !a.IsStatus || a.Path != command(3) {
			t.Errorf("%+v", a)
		}
		if c := w.node.commands; len(c) != 2 || c[0].Timed || c[1].Commands[0].Fields == nil {
			t.Errorf("%+v", c)
		}
	})
}

func TestInvokeRefused(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		s := w.session()
		_, err := Invoke(t.Context(), s, command(4), nil)
		var status *im.StatusError
		if !errors.As(err, &status) || status.Result != (im.Result{Status: im.Failure, Cluster: im.Some[uint8](2)}) {
			t.Error(err)
		}
		if !strings.HasPrefix(err.Error(), "invoking 0/48/4 on node 1122334455667788: ") {
			t.Error(err)
		}
		if _, err = Invoke(t.Context(), s, command(5), nil); !errors.Is(err, errOtherCmd) {
			t.Error(err)
		}
		if _, err = Invoke(t.Context(), s, command(6), nil); !errors.As(err, &status) || status.Result.Status != im.NeedsTimedInteraction {
			t.Error(err)
		}
		if _, err = Invoke(t.Context(), s, command(7), nil); !errors.Is(err, errNoAnswer) {
			t.Error(err)
		}
		if len(w.node.commands) != 4 {
			t.Errorf("%d commands: one was sent twice", len(w.node.commands))
		}
		// One that was refused because the node is busy was not run.
		w.node.mu.Lock()
		w.node.busy, w.node.busyStatus = 1, im.Busy
		w.node.mu.Unlock()
		_, err = Invoke(t.Context(), s, command(3), nil)
		ok(t, err)
	})
}

func TestInvokeTimed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		s := w.session()
		_, err := InvokeTimed(t.Context(), s, 5*time.Second, command(0), fields(t, 1))
		ok(t, err)
		if !slices.Equal(w.node.timed, []uint16{5000}) || len(w.node.commands) != 1 || !w.node.commands[0].Timed {
			t.Errorf("%v, %+v", w.node.timed, w.node.commands)
		}
		for _, d := range []time.Duration{0, -1, time.Microsecond, 66 * time.Second} {
			if _, err := InvokeTimed(t.Context(), s, d, command(0), nil); err == nil {
				t.Errorf("%v", d)
			}
		}
	})
}

func TestWrite(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		s := w.session()
		p := im.Path{Cluster: 0x28, Attribute: 5}
		ok(t, Write(t.Context(), s, p, number(7)))
		if v := w.node.writes; len(v) != 1 || v[0].Writes[0].Path != p || !bytes.HasSuffix(v[0].Writes[0].Data, []byte{7}) || v[0].Timed {
			t.Errorf("%+v", v)
		}
		p.Attribute = 99
		var status *im.StatusError
		if err := Write(t.Context(), s, p, number(7)); !errors.As(err, &status) || status.Result.Status != im.UnsupportedAttribute {
			t.Error(err)
		}
		if err := Write(t.Context(), s, p, make([]byte, 5)); err == nil {
			t.Error("wrote what is no element")
		}
	})
}
