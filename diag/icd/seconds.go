package icd

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Seconds is a time since the start of the observations, or a length of time.
// In files it is a decimal number of seconds.
type Seconds time.Duration

// maxSeconds bounds what a file may say: about three years. It keeps sums of
// times far from overflow.
const maxSeconds = 100_000_000

// Sec is n seconds.
func Sec(n float64) Seconds { return Seconds(time.Duration(n*1e6+0.5) * time.Microsecond) }

// String is "12.3 s".
func (s Seconds) String() string { return s.number(1) + " s" }

func (s Seconds) number(decimals int) string {
	return strconv.FormatFloat(time.Duration(s).Seconds(), 'f', decimals, 64)
}

// MarshalJSON writes seconds with at most three decimals.
func (s Seconds) MarshalJSON() ([]byte, error) {
	ms := time.Duration(s).Round(time.Millisecond).Milliseconds()
	return strconv.AppendFloat(nil, float64(ms)/1000, 'f', -1, 64), nil
}

var errSeconds = errors.New("want a number of seconds, 0 to 100000000")

// UnmarshalJSON reads a number, rounded to microseconds. On an error s is left
// as it was.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	var n json.Number
	if len(b) == 0 || b[0] == '"' || json.Unmarshal(b, &n) != nil {
		return errSeconds
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || !(f >= 0 && f <= maxSeconds) {
		return errSeconds
	}
	*s = Sec(f)
	return nil
}
