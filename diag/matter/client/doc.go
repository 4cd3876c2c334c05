// Package client asks Matter nodes through sessions: it reads attributes and
// events, invokes commands, writes, and subscribes (Core chapter 8, Interaction
// Model).
//
//	report, err := client.Read(ctx, s, im.ReadRequest{Attributes: …})
//	for v := range report.Attributes.Values() { … }
//
// Each operation is one exchange. A node takes few at once: keep to four, and
// to one read, per session. Where a node says that it is busy, it is asked again
// while ctx lasts; nothing else is asked twice, since a command that was not
// acknowledged may yet have been run. Give ctx a deadline: a node may take
// 45 s for each of its messages and need not end.
//
// Errors wrap *im.StatusError where the node said no, and session.ErrDefunct
// where the session is of no use any more: make a new one and ask again, once.
//
// The reader is above session, which knows whom it asks, and im, which knows
// the messages; above is the source in diag/matter.
package client
