package client

import "errors"

// Adopt takes in a subscription that was made before: by an earlier run of the
// program, or by Subscribe, whose Subscription then ends with ErrReplaced. The
// node may be silent for however long: who adopts decides when the subscription
// is dead, and a report that comes after all is taken. MaxInterval and Priming
// are not known.
func (all *Subscriptions) Adopt(fabric, node uint64, id uint32) (*Subscription, error) {
	if node == 0 {
		return nil, errors.New("a subscription is of a node")
	}
	return all.begin(subscriptionKey{fabric, node, id}, true)
}
