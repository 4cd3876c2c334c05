package halog

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"threadmap/diag/icd"
)

// oneLoss is within what several lines are about one loss of the subscription.
const oneLoss = 2 * time.Second

// worth are words of lines that are kept as they are: of a node that is asked
// a lot the rest would fill the file.
var worth = []string{
	"sigma", "case", "session", "resum", "subscri", "retransm", "resubmi", "timeout", "timed out", "availab", "offline", "online", "connect", "discover",
	"check-in", "checkin", "icd", "fail", "error", "invalid", "cancel", "reject", "unreach", "status: ",
}

var (
	chipInterval   = regexp.MustCompile(`report interval \[(\d{1,6}), (\d{1,6})\]|MinInterval = (\d{1,6})s MaxInterval = (\d{1,6})s`)
	matterInterval = regexp.MustCompile(`\bmax(?:Interval)?: ((?:\d[\d.]*(?:ms|[hms]) ?)+)`)
	retryChip      = regexp.MustCompile(`re-subscribing in (\d{1,9}) ms|at retry index \d+ after (\d{1,9})ms`)
	retryMatter    = regexp.MustCompile(`(?:Reconnecting|[Rr]etry(?:ing)?) in ((?:\d[\d.]*(?:ms|[hms]) ?)+)`)
)

// tell says what a line about the node means.
func (p *reader) tell(at time.Time, text string) {
	t := strings.ToLower(text)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(t, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("availability changed to true"):
		p.available(at, true)
	case has("availability changed to false", "marked node as unavailable", "marked node as offline", "node considered offline"):
		p.available(at, false)
	}
	switch {
	case has("liveness timeout", "previous subscription failed", "shutdown subscription") ||
		has("subscription") && has("timed out") || has("subscription failed with"):
		if p.lost.IsZero() || at.Sub(p.lost) > oneLoss || at.Before(p.lost) {
			p.see(at, "subscription-lost", &icd.Lost{Reason: clip(text)})
		}
		p.lost, p.id = at, 0 // a subscription that follows is another one
	case has("subscription succeeded", "subscription successful", "subscribe successful", "subscription established", "established subscription") && !has("failed"):
		w := &icd.Subscribed{ID: p.id}
		if id, ok := subscriptionID(text); ok {
			w.ID = id
		}
		w.Min, w.Max = interval(text)
		p.see(at, "subscribed", w)
	case has("message «") && has("i/reportdata"), has("refresh livenesschecktime"):
		if id, ok := subscriptionID(text); ok {
			p.see(at, "report", &icd.Report{ID: id})
		}
		return // its lines are too many to keep
	}
	if !has(worth...) {
		return
	}
	line := clip(text)
	if wait, ok := retry(text); ok {
		line += " [resubscribe in " + strconv.FormatInt(wait.Milliseconds(), 10) + " ms]"
	}
	p.see(at, "log", &icd.Log{Text: line})
}

func (p *reader) available(at time.Time, yes bool) {
	p.see(at, "available", &icd.Available{Value: &yes})
}

// interval is how often a subscription is to be heard of.
func interval(text string) (least, most *icd.Seconds) {
	seconds := func(s string) *icd.Seconds {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return nil
		}
		v := icd.Sec(float64(n))
		return &v
	}
	if m := chipInterval.FindStringSubmatch(text); m != nil {
		return seconds(m[1] + m[3]), seconds(m[2] + m[4])
	}
	if m := matterInterval.FindStringSubmatch(text); m != nil {
		if d, ok := duration(m[1]); ok {
			v := icd.Seconds(d)
			return nil, &v
		}
	}
	return nil, nil
}

// retry is how long the server waits before it tries again.
func retry(text string) (time.Duration, bool) {
	if m := retryChip.FindStringSubmatch(text); m != nil {
		n, err := strconv.ParseUint(m[1]+m[2], 10, 32)
		return time.Duration(n) * time.Millisecond, err == nil
	}
	if m := retryMatter.FindStringSubmatch(text); m != nil {
		return duration(m[1])
	}
	return 0, false
}

// duration reads matter.js's "10m 30s", "17.8s", "500ms".
func duration(s string) (time.Duration, bool) {
	d, err := time.ParseDuration(strings.ReplaceAll(strings.TrimSpace(s), " ", ""))
	return d, err == nil && d >= 0 && d < 1000*time.Hour
}

// clip shortens a line.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
