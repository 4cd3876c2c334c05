package borderagent

import "time"

const (
	// exchangeLife is how long a server remembers its answer to a message id
	// (EXCHANGE_LIFETIME, RFC 7252, section 4.8.2).
	exchangeLife = 247 * time.Second
	// maxResponses is how many answers it remembers (OpenThread's default).
	maxResponses = 10
)

// responses are the answers that a server gave lately. Whoever uses a message
// id again gets the old answer to whatever the new question is.
type responses []response

type response struct {
	to   exchangeID
	b    []byte
	till time.Time
}

func (r responses) find(id exchangeID, now time.Time) ([]byte, bool) {
	for _, x := range r {
		if x.to == id && now.Before(x.till) {
			return x.b, true
		}
	}
	return nil, false
}

func (r *responses) add(id exchangeID, b []byte, now time.Time) {
	if len(*r) == maxResponses {
		*r = append((*r)[:0], (*r)[1:]...)
	}
	*r = append(*r, response{id, b, now.Add(exchangeLife)})
}
