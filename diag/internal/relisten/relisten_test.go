package relisten

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errGone    = errors.New("gone")
	errToken   = errors.New("wrong token")
	errUnknown = errors.New("no such device")
)

// A turn is one conversation of a test: how long it lasts, and how it ends.
type turn struct {
	after time.Duration
	began bool
	err   error
}

// TestRun plays conversations and looks at when each begins.
func TestRun(t *testing.T) {
	down := turn{0, false, errGone}
	for _, tt := range []struct {
		name  string
		turns []turn
		begun string // when each began
		broke int
		err   error
	}{
		{"never there", []turn{down, down, down}, "0s 1s 3s", 0, errGone},
		{"a wrong token is not tried twice", []turn{{0, false, errToken}}, "0s", 0, errToken},
		{"nor after it was right", []turn{{time.Minute, true, errGone}, {0, false, errToken}}, "0s 1m1s", 1, errToken},
		{"another try is pointless", []turn{{0, false, errUnknown}}, "0s", 0, errUnknown},
		{"but not of one who knew it", []turn{{0, true, errGone}, {0, false, errUnknown}, {0, false, errToken}}, "0s 1s 3s", 1, errToken},
		{"waits grow up to a minute", []turn{{0, true, errGone}, down, down, down, down, down, down, down, {0, false, errToken}}, "0s 1s 3s 7s 15s 31s 1m3s 2m3s 3m3s", 1, errToken},
		{"and begin anew after it was heard", []turn{{0, true, errGone}, down, down, {0, true, errGone}, {0, false, errToken}}, "0s 1s 3s 7s 8s", 2, errToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, broke, n := time.Now(), 0, 0
				var begun []string
				err := Listener{
					Once: func(context.Context) (bool, error) {
						begun = append(begun, time.Since(start).String())
						if n == len(tt.turns) {
							t.Fatal("one conversation too many")
						}
						x := tt.turns[n]
						n++
						time.Sleep(x.after)
						return x.began, x.err
					},
					Broke:     func(error) { broke++ },
					Refused:   func(err error) bool { return errors.Is(err, errToken) },
					Pointless: func(err error) bool { return errors.Is(err, errUnknown) },
				}.Run(t.Context())
				if got := strings.Join(begun, " "); got != tt.begun || broke != tt.broke || !errors.Is(err, tt.err) {
					t.Errorf("began at %s, broke %d times, %v; want %s, %d, %v", got, broke, err, tt.begun, tt.broke, tt.err)
				}
			})
		})
	}
}

// TestRunEnds: the end of the context is no error, in a conversation and between
// two.
func TestRunEnds(t *testing.T) {
	for _, within := range []time.Duration{500 * time.Millisecond, 10500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			start := time.Now()
			err := Listener{Once: func(ctx context.Context) (bool, error) {
				select {
				case <-time.After(10 * time.Second):
					return true, errGone
				case <-ctx.Done():
					return false, ctx.Err()
				}
			}}.Run(ctx)
			if took := time.Since(start); err != nil || took != within {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// TestAlive: a server is pinged every 30 s; silence, an error and an end are told
// from each other.
func TestAlive(t *testing.T) {
	silent := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, tt := range []struct {
		name string
		ping func(context.Context) error // the third one
		over time.Duration               // when the conversation ends; 0: never
		ends time.Duration               // the context; 0: never
		err  error
		took time.Duration
	}{
		{"silent", silent, 0, 0, ErrSilent, 100 * time.Second},
		{"broken", func(context.Context) error { return errGone }, 0, 0, errGone, 90 * time.Second},
		{"over between pings", silent, 50 * time.Second, 0, nil, 50 * time.Second},
		{"over in a ping", func(context.Context) error { time.Sleep(5 * time.Second); return errGone }, 92 * time.Second, 0, nil, 95 * time.Second},
		{"ended between pings", silent, 0, 70 * time.Second, nil, 70 * time.Second},
		{"ended in a ping", silent, 0, 95 * time.Second, nil, 95 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				over := make(chan struct{})
				if tt.over > 0 {
					time.AfterFunc(tt.over, func() { close(over) })
				}
				if tt.ends > 0 {
					time.AfterFunc(tt.ends, cancel)
				}
				start, n := time.Now(), 0
				err := Alive(ctx, over, func(ctx context.Context) error {
					if n++; n < 3 {
						return nil
					}
					return tt.ping(ctx)
				}, nil)
				if took := time.Since(start); !errors.Is(err, tt.err) || took != tt.took {
					t.Errorf("%v after %v, want %v after %v", err, took, tt.err, tt.took)
				}
			})
		})
	}
}

// TestScale: a test may be faster, in the same proportions.
func TestScale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []string
		start := time.Now()
		_ = Listener{
			Once: func(context.Context) (bool, error) {
				at = append(at, fmt.Sprint(time.Since(start)))
				return false, errGone
			},
			Scale: func(d time.Duration) time.Duration { return d / 100 },
		}.Run(t.Context())
		if !slices.Equal(at, []string{"0s", "10ms", "30ms"}) {
			t.Errorf("began at %v", at)
		}
	})
}
