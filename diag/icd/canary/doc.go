// Package canary is threadmap's own subscription on a sleepy Matter device: one
// that was made only to see what the device does with it when it restarts.
//
//	err := canary.Watch(ctx, canary.Config{Member: …, Node: …, Resolve: …, Socket: …, Observe: recorder.Observe})
//
// The canary behaves as a subscriber should: it can be found (who runs it
// announces [Config.Announcement]), it answers the session that the device opens
// after a restart, and it says yes to reports of the subscription that it had.
// What happens is told as observations of package icd: whether the device came
// back by itself, in a resumed session or a new one, under the old subscription
// or not at all.
//
// It also has manners, since it watches batteries. It asks for few things, wakes
// nobody, and after it has heard of a restart waits until the device had its
// time to come back before it opens one session of its own. Where it stands in a
// device's tables, it takes itself out again when it ends; what could not be
// taken out, because the device sleeps or the program was killed, is in a
// [State], which [Cleanup] works off.
//
// The reader is above client and session of diag/matter, below the command, and
// beside the other observers of package icd.
package canary
