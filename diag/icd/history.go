package icd

import (
	"slices"
	"strings"
)

// A history is what became of one subscriber's subscription.
type history struct {
	resumed  trace // last report of a known subscription
	refused  trace // last report of one that the subscriber does not know
	anew     trace // last subscription that was made
	event    trace // last event that came of itself, or press that worked
	value    trace // last report or attribute, whatever it belonged to
	lost     trace // last loss that the subscriber noticed
	offline  trace // what its user is shown
	unhappy  trace // last word of a person that it does not work
	sigma1   trace // last session that the device began to open
	opened   trace // last session that the device opened
	failed   trace // last session of the device that failed
	checkIn  trace
	selfOpen trace // last session that the subscriber opened itself
	selfFail trace
	min, max Seconds // of its newest subscription; -1: not known
	had      trace   // a subscription before t0
	logs     []logLine
}

type logLine struct {
	o *Observation
	logSigns
}

// History collects what is known of the subscriber's subscription.
func (v *view) history() *history {
	h := &history{min: -1, max: -1}
	for _, t := range []*trace{&h.resumed, &h.refused, &h.anew, &h.event, &h.value, &h.lost, &h.offline, &h.unhappy, &h.sigma1, &h.opened, &h.failed, &h.checkIn, &h.selfOpen, &h.selfFail, &h.had} {
		t.at = never
	}
	set := func(t *trace, o *Observation) { *t = trace{o.At, o} }
	by := v.sub.inside
	for _, o := range v.all {
		if o.By == ByUser {
			switch w := o.What.(type) {
			case *Complaint:
				if v.about(w.Controller) {
					set(&h.unhappy, o)
				}
			case *Press:
				if w.Works == nil || !v.about(w.Controller) {
					continue
				}
				if *w.Works {
					set(&h.event, o)
				} else {
					set(&h.unhappy, o)
				}
			}
			continue
		}
		if (by == "" || o.By != by) && !v.captured(o) || !v.isOurs(o) {
			continue
		}
		switch w := o.What.(type) {
		case *Subscribed:
			if o.At <= v.t0 {
				set(&h.had, o)
			}
			set(&h.anew, o)
			if w.Min != nil {
				h.min = *w.Min
			}
			if w.Max != nil {
				h.max = *w.Max
			}
		case *Report:
			if o.At <= v.t0 {
				set(&h.had, o)
			}
			switch {
			case w.Known != nil && !*w.Known:
				set(&h.refused, o)
			case w.Known != nil && !w.Priming:
				set(&h.resumed, o)
				set(&h.value, o)
			default:
				set(&h.value, o)
			}
		case *Attribute:
			set(&h.value, o)
		case *DeviceEvent:
			if !isBootEvent(w) {
				set(&h.event, o)
			}
		case *Available:
			switch {
			case w.Value == nil:
			case *w.Value:
				set(&h.value, o)
				h.offline.at = never
			default:
				set(&h.offline, o)
			}
		case *Lost:
			set(&h.lost, o)
		case *Sigma1:
			if w.OpenedBy != "controller" {
				set(&h.sigma1, o)
			}
		case *Spoke:
			if w.OpenedBy == byDevice && w.Answered {
				set(&h.value, o)
				if o.At <= v.t0 {
					set(&h.had, o)
				}
			}
		case *CASE:
			switch {
			case w.OpenedBy == "device" && w.Result == "failed":
				set(&h.failed, o)
			case w.OpenedBy == "device":
				set(&h.opened, o)
			case w.Result == "failed":
				set(&h.selfFail, o)
			default:
				set(&h.selfOpen, o)
			}
		case *CheckIn:
			if w.Decrypted == nil || *w.Decrypted {
				set(&h.checkIn, o)
			}
		case *Log:
			s := readLog(w.Text)
			h.logs = append(h.logs, logLine{o, s})
			if s.sigma1 {
				set(&h.sigma1, o)
			}
			if s.opened {
				set(&h.opened, o)
			}
			if s.failed && (h.sigma1.at > never || s.sigma1) {
				set(&h.failed, o)
			}
			if s.refused {
				set(&h.refused, o)
			}
			if s.checkIn {
				set(&h.checkIn, o)
			}
		}
	}
	return h
}

func isBootEvent(w *DeviceEvent) bool {
	return w.Cluster == clusterBasic && (w.EventID == eventStartUp || w.EventID == eventShutDown) || w.Cluster == clusterDiagnostics && w.EventID == eventBootReason
}

// served is the last proof that the subscriber has a working subscription.
func (h *history) served() trace {
	best := trace{at: never}
	for _, t := range []trace{h.resumed, h.anew, h.event, h.value} {
		if t.at > best.at {
			best = t
		}
	}
	return best
}

// since is from when on what a subscriber heard is of the time after t0. Clocks
// differ, so what came right before may be meant; but a report right before or
// after a restart, without a new session, is one of before.
func (v *view) since(h *history) Seconds {
	if !v.rebooted && !v.claimed {
		return v.t0
	}
	since := v.t0 + slack
	if latest(h.sigma1, h.opened).at >= v.t0-slack {
		since = v.t0 - slack
	}
	if o := v.toldOfStart(); o != nil { // by the subscriber itself: its own clock says what came after that
		since = min(since, o.At)
	}
	if stop := v.orderlyStop(); stop != nil {
		since = max(since, stop.At+1)
	}
	return since
}

// toldOfStart is the event of the last start as it reached the subscriber.
func (v *view) toldOfStart() *Observation {
	if v.sub.inside == "" {
		return nil
	}
	for o, w := range ours[DeviceEvent](v, v.sub.inside+" event") {
		if w.Cluster == clusterBasic && w.EventID == eventStartUp && o.At >= v.t0-slack && o.At <= v.t0+slack {
			return o
		}
	}
	return nil
}

// fresh reports whether what was so at a time can be taken to be so still: a
// subscriber hears from the device at least every MaxInterval.
func (v *view) fresh(h *history, at Seconds) bool {
	limit := recently
	if h.max >= 0 {
		limit = max(limit, h.max+graceMJS)
	}
	return at >= v.at-limit && at >= h.down().at
}

// down is the last word that it has none: the subscriber's own.
func (h *history) down() trace {
	if h.offline.at > h.lost.at {
		return h.offline
	}
	return h.lost
}

// complaint reports whether somebody says that it does not work, and nothing
// says that it works again.
func (h *history) complaint() (trace, bool) {
	d := h.down()
	if h.unhappy.at > d.at {
		d = h.unhappy
	}
	if d.at == never {
		return d, false
	}
	if w, ok := d.o.What.(*Press); ok && w.Works != nil && h.event.o != nil && h.event.o.By != ByUser && h.event.at-d.at <= pressTook {
		return d, true // the event that arrived is of the press that showed no effect
	}
	s := h.served()
	if d.o.By == ByUser && s.o != nil && s.o.By != ByUser {
		// A person may say late what was so before, or that presses are missed while values come.
		return d, h.event.at < d.at
	}
	return d, s.at < d.at
}

// logSigns are what a line of a controller's log says, as far as its words are
// those of the Matter specification.
type logSigns struct {
	sigma1, sigma2, opened, failed, refused, checkIn, retransmission, stranger, cancelled, timedOut bool
	retryIn                                                                                         Seconds // 0: not said
}

func readLog(text string) logSigns {
	t := strings.ToLower(text)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(t, w) })
	}
	s := logSigns{
		sigma1:         has("sigma1") && !has("sending sigma1", "sent sigma1", "sigma1 to ") && (!has("retransmi") || has("received")),
		sigma2:         has("sigma2"),
		opened:         has("sigma3 received", "session established", "session resumed", "sigma2resume accepted", "sigma finished"),
		failed:         has("case", "sigma", "session") && has("timed out", "timeout", "failed", "no ack"),
		refused:        has("invalid_subscription", "invalid subscription", "unknown subscription", "invalidsubscription"),
		checkIn:        has("check-in", "checkin") && !has("wait", "await", "expect"),
		retransmission: has("retransmi"),
		stranger:       has("invalidparam", "invalid param", "unknown session", "no shared trust", "no_shared_trust") || has("resumption") && has("reject"),
		cancelled:      has("cancel"),
		timedOut:       has("timed out", "timeout", "no ack", "not acknowledged"),
	}
	if has("resubscri", "re-subscri", "retry") {
		for _, word := range []string{" after ", " in "} { // CHIP says "after 60000ms", others "in 60000 ms"
			for rest := t; s.retryIn == 0; {
				_, after, found := strings.Cut(rest, word)
				if !found {
					break
				}
				s.retryIn, rest = milliseconds(after), after
			}
		}
	}
	return s
}

// milliseconds reads "2222147 ms" or "2222147ms", 0 for anything else.
func milliseconds(t string) Seconds {
	n, i := Seconds(0), 0
	for i < len(t) && i < 10 && t[i] >= '0' && t[i] <= '9' {
		n = n*10 + Seconds(t[i]-'0')
		i++
	}
	if i == 0 || !strings.HasPrefix(strings.TrimSpace(t[i:]), "ms") {
		return 0
	}
	return n * second / 1000
}
