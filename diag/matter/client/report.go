package client

import (
	"bytes"
	"errors"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
)

// Bounds of the events of one report; those of the attributes are im's.
const (
	maxEvents     = 4096
	maxEventBytes = 1 << 20
)

var errManyEvents = errors.New("the report has too many events: ask for less at a time")

// A Report is what a node said in one transaction.
type Report struct {
	Session *session.Secure // whose word it is; the one it came through
	At      time.Time       // when its last message came
	// Attributes have their lists put together.
	Attributes *im.Assembly
	Events     []im.EventReport
	// Complete is that the node said all it wanted to. What is in a report that
	// is not complete was said, but a list that may have gone on is not in it:
	// its Value has the error im.ErrCut.
	Complete bool
	Messages int // ReportData that came

	eventBytes int
}

// Empty reports whether nothing was said, as in the reports by which a
// subscription is kept alive.
func (r *Report) Empty() bool { return r.Attributes.Len() == 0 && len(r.Events) == 0 }

func newReport(s *session.Secure) *Report {
	return &Report{Session: s, Attributes: &im.Assembly{}}
}

// add takes one ReportData.
func (r *Report) add(payload []byte) (im.ReportInfo, error) {
	r.Complete, r.At = false, time.Now()
	r.Messages++
	var many error
	info, err := r.Attributes.Add(payload, func(e im.EventReport) {
		if len(r.Events) >= maxEvents || r.eventBytes+len(e.Data) > maxEventBytes {
			many = errManyEvents
			return
		}
		r.eventBytes += len(e.Data)
		e.Data = bytes.Clone(e.Data)
		r.Events = append(r.Events, e)
	})
	if err == nil {
		err = many
	}
	if err == nil && !info.More {
		r.Complete = true
	}
	return info, err
}

// collect takes ReportData after ReportData, the first of which is given, and
// answers each that wants it. each, unless nil, may refuse one.
func (t *turn) collect(r *Report, payload []byte, each func(im.ReportInfo) error) error {
	for {
		info, err := r.add(payload)
		if err == nil && each != nil {
			err = each(info)
		}
		if err != nil {
			return err
		}
		if !info.More && info.SuppressResponse {
			t.own = false
			return nil
		}
		if err := t.send(im.OpStatusResponse, im.EncodeStatusResponse(im.Success)); err != nil {
			return err
		}
		if !info.More {
			return nil
		}
		if payload, err = t.receive(im.OpReportData); err != nil {
			return err
		}
	}
}
