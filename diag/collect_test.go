package diag

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// asking is a probe that takes a while, reports its target, and heeds its
// context.
func asking(target string, takes time.Duration) Probe {
	return Probe{Source: "test", Target: target, Within: time.Minute, Run: func(ctx context.Context, to *Sink) {
		select {
		case <-time.After(takes):
			to.Report(Report{Source: "test", Via: target})
		case <-ctx.Done():
			to.Problem(Problem{Source: "test", Target: target, Stage: StageAsk, Text: ctx.Err().Error()})
		}
	}}
}

func vias(reports []Report) string {
	s := ""
	for _, r := range reports {
		s += r.Via + " "
	}
	return strings.TrimSpace(s)
}

// elapsed runs f in virtual time and tells how long it took there.
func elapsed(f func()) time.Duration {
	begin := time.Now()
	f()
	return time.Since(begin)
}

func TestCollectOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		var probes []Probe
		want := ""
		for i := range 40 {
			probes = append(probes, asking(fmt.Sprint(i), time.Duration(1+r.IntN(1000))*time.Millisecond))
			want += fmt.Sprint(i, " ")
		}
		for range 5 {
			reports, problems := Collect(t.Context(), probes, nil)
			if got := vias(reports); got != strings.TrimSpace(want) || problems != nil {
				t.Fatalf("%s\n%v", got, problems)
			}
		}
	})
}

func TestCollectNothing(t *testing.T) {
	if reports, problems := Collect(t.Context(), nil, nil); reports == nil || len(reports) != 0 || problems != nil {
		t.Error(reports, problems)
	}
}

func TestCollectAtMost16AtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		var probes []Probe
		for i := range 40 {
			probes = append(probes, Probe{Target: fmt.Sprint(i), Within: time.Minute, Run: func(context.Context, *Sink) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
			}})
		}
		took := elapsed(func() { Collect(t.Context(), probes, nil) })
		if most.Load() != 16 || took != 3*time.Second { // 16 + 16 + 8
			t.Errorf("%d at once, %v", most.Load(), took)
		}
	})
}

func TestCollectGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		busy := map[string]int{}
		var probes []Probe
		for i := range 9 {
			group, target := fmt.Sprint("g", i%3), fmt.Sprint(i)
			key := group
			if i%3 == 2 { // without a group the target is one
				group, target, key = "", "same", "same"
			}
			p := asking(target, time.Second)
			run := p.Run
			p.Group = group
			p.Run = func(ctx context.Context, to *Sink) {
				mu.Lock()
				busy[key]++
				if busy[key] > 1 {
					t.Errorf("two of group %q at once", key)
				}
				mu.Unlock()
				run(ctx, to)
				mu.Lock()
				busy[key]--
				mu.Unlock()
			}
			probes = append(probes, p)
		}
		took := elapsed(func() {
			reports, _ := Collect(t.Context(), probes, nil)
			if got, want := vias(reports), "0 1 same 3 4 same 6 7 same"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
		if took != 3*time.Second { // three groups of three, side by side
			t.Errorf("took %v", took)
		}
	})
}

func TestCollectDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := asking("slow", time.Hour)
		slow.Within = 5 * time.Second
		run := slow.Run
		slow.Run = func(ctx context.Context, to *Sink) {
			to.Report(Report{Via: "before"})
			run(ctx, to)
		}
		took := elapsed(func() {
			reports, problems := Collect(t.Context(), []Probe{slow, asking("quick", time.Second)}, nil)
			if vias(reports) != "before quick" || len(problems) != 1 || problems[0].Text != context.DeadlineExceeded.Error() {
				t.Errorf("%v %v", vias(reports), problems)
			}
		})
		if took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestCollectDeafProbe: a probe that ignores its context costs its deadline and
// the grace, and what it says later is not heard.
func TestCollectDeafProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		later := make(chan *Sink, 1)
		goOn := make(chan struct{})
		deaf := Probe{Source: "test", Target: "deaf", Within: 5 * time.Second, Run: func(_ context.Context, to *Sink) {
			to.Report(Report{Via: "early"})
			later <- to
			<-goOn
			to.Report(Report{Via: "late"})
			to.Problem(Problem{Text: "late"})
		}}
		told := 0
		var reports []Report
		var problems []Problem
		took := elapsed(func() {
			reports, problems = Collect(t.Context(), []Probe{deaf, asking("next", time.Second)}, func(Progress) { told++ })
		})
		if took != 5*time.Second+grace {
			t.Errorf("took %v", took)
		}
		if vias(reports) != "early next" || len(problems) != 1 || problems[0].Text != "did not stop within 2s after its deadline of 5s" || !problems[0].Partial {
			t.Errorf("%v, %v", vias(reports), problems)
		}
		before := told
		close(goOn)
		synctest.Wait()
		if s := <-later; told != before || s.count() != 1 {
			t.Errorf("a probe that was left behind was heard: %d reports, told %d times more", s.count(), told-before)
		}
	})
}

// TestCollectGroupGoesOn: a deaf probe must not starve the others of its group.
func TestCollectGroupGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		defer close(stop)
		deaf := Probe{Target: "one", Within: time.Second, Run: func(context.Context, *Sink) { <-stop }}
		reports, problems := Collect(t.Context(), []Probe{deaf, asking("one", time.Second)}, nil)
		if vias(reports) != "one" || len(problems) != 1 {
			t.Error(vias(reports), problems)
		}
	})
}

func TestCollectPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := func(v any) Probe {
			return Probe{Source: "test", Target: "boom", Within: time.Minute, Run: func(_ context.Context, to *Sink) {
				to.Report(Report{Via: "before"})
				if v == nil {
					runtime.Goexit()
				}
				panic(v)
			}}
		}
		long := "first\nsecond\x00\xff" + strings.Repeat("é", 1000)
		probes := []Probe{boom(errors.New("index out of range")), boom(long), boom(nil), {Source: "test", Target: "no Run", Within: time.Minute},
			asking("after", time.Second)}
		reports, problems := Collect(t.Context(), probes, nil)
		if vias(reports) != "before before before after" || len(problems) != 3 {
			t.Fatalf("%v, %v", vias(reports), problems)
		}
		if p := problems[0]; p.Text != "internal error: index out of range" || p.Hint == "" || !p.Partial || p.Target != "boom" {
			t.Errorf("%+v", p)
		}
		if p := problems[1]; len(p.Text) > 300 || strings.Contains(p.Text, "\n") || !utf8.ValidString(p.Text) || !strings.Contains(p.Text, "first second") {
			t.Errorf("%q", p.Text)
		}
	})
}

// TestCollectInterrupted: Ctrl-C ends the running probes, keeps what they
// learnt, and says of the others that they were not asked.
func TestCollectInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, interrupt)
		stop := make(chan struct{})
		defer close(stop)
		probes := []Probe{asking("done", time.Second), asking("cut", time.Hour), asking("done", time.Hour), asking("done", time.Second),
			{Target: "deaf", Within: time.Hour, Run: func(_ context.Context, to *Sink) {
				to.Report(Report{Via: "deaf's word"})
				<-stop
			}}}
		for i := range 40 {
			probes = append(probes, asking(fmt.Sprint("waiting", i), time.Hour))
		}
		var reports []Report
		var problems []Problem
		took := elapsed(func() { reports, problems = Collect(ctx, probes, nil) })
		if took != 3*time.Second+grace {
			t.Errorf("took %v", took)
		}
		if got := vias(reports); got != "done deaf's word" {
			t.Errorf("%s", got)
		}
		count := map[string]int{}
		for _, p := range problems {
			count[p.Text]++
		}
		if count["did not stop within 2s after the scan was stopped"] != 1 || count["context canceled"] != 15 ||
			count["not asked: the scan was stopped"] != 28 {
			t.Errorf("%v", count)
		}
	})
}

func TestCollectOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first, second := asking("x", time.Hour), asking("x", time.Hour)
		_, problems := Collect(ctx, []Probe{first, second}, nil)
		if len(problems) != 2 || problems[1].Text != "not asked: the scan's time was over" {
			t.Error(problems)
		}
	})
}

// TestCollectBounds: what a hostile peer makes a probe say is bounded, and that
// something was dropped is said.
func TestCollectBounds(t *testing.T) {
	flood := Probe{Source: "test", Target: "flood", Within: time.Minute, Run: func(_ context.Context, to *Sink) {
		for range maxReports + 5 {
			to.Report(Report{})
		}
		for range maxProblems + 7 {
			to.Problem(Problem{Text: "x"})
		}
	}}
	reports, problems := Collect(t.Context(), []Probe{flood}, nil)
	if len(reports) != maxReports || len(problems) != maxProblems+2 {
		t.Fatalf("%d reports, %d problems", len(reports), len(problems))
	}
	if tail := problems[maxProblems:]; !strings.HasPrefix(tail[0].Text, "5 reports") || !strings.HasPrefix(tail[1].Text, "7 problems") || tail[0].Target != "flood" {
		t.Error(tail)
	}
}

// TestProgress: one call at a time, counts that never fall, one last word for
// each probe.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var probes []Probe
		for i := range 20 {
			probes = append(probes, Probe{Target: fmt.Sprint(i), Within: time.Minute, Run: func(_ context.Context, to *Sink) {
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() {
						for range i {
							to.Report(Report{})
						}
					})
				}
				both.Wait()
			}})
		}
		var inside atomic.Int32
		last, done := map[string]int{}, map[string]bool{}
		Collect(t.Context(), probes, func(p Progress) {
			if inside.Add(1) != 1 {
				t.Error("two calls at once")
			}
			defer inside.Add(-1)
			name := p.Probe.Target
			if p.Reports < last[name] || done[name] {
				t.Errorf("%s: %d after %d, done %v", name, p.Reports, last[name], done[name])
			}
			last[name], done[name] = p.Reports, p.Done
		})
		for i := range 20 {
			if name := fmt.Sprint(i); last[name] != 2*i || !done[name] {
				t.Errorf("%s: %d reports, done %v", name, last[name], done[name])
			}
		}
	})
}
