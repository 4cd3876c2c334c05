package commission

import (
	"context"
	"errors"
	"fmt"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/tlv"
)

// ErrUnanswered is that a node was asked to forget the fabric, and nobody knows
// whether it did.
var ErrUnanswered = errors.New("it was asked to forget threadmap's fabric, and did not answer")

// Remove makes the node at the other end of s forget the fabric of s
// (RemoveFabric): its sessions end with that, so the answer may get lost. Then
// again makes another session, which fails with [NotOnFabric] where the fabric is
// forgotten; the error is ErrUnanswered where it fails in another way. again may
// be nil.
func Remove(ctx context.Context, s *session.Secure, again func(context.Context) (*session.Secure, error)) error {
	index, err := fabricIndex(ctx, s)
	if err != nil {
		return err
	}
	answer, err := invoke(ctx, s, removeFabric, nocResponse, func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), uint64(index)) })
	if err == nil {
		c, err := parseNOC(answer)
		if err != nil {
			return err
		}
		return c.noc()
	}
	if answered(err) {
		return err
	}
	if again == nil || ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrUnanswered, err)
	}
	anew, lost := again(ctx)
	switch {
	case lost == nil:
		anew.Close()
		return fmt.Errorf("it is still on threadmap's fabric: %w", err)
	case NotOnFabric(lost):
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnanswered, err)
}

// fabricIndex is the CurrentFabricIndex of a session (Core 11.18.5.6).
func fabricIndex(ctx context.Context, s *session.Secure) (uint8, error) {
	path := im.Path{Cluster: operationalCredentials, Attribute: 5}
	r, err := client.Read(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{im.One(0, path.Cluster, path.Attribute)}})
	if err != nil {
		return 0, err
	}
	v, _ := r.Attributes.Value(path)
	if v.Data == nil {
		if err := v.Result.Err(); err != nil {
			return 0, err
		}
		return 0, errors.New("it does not say which of its fabrics this is")
	}
	d := tlv.NewDecoder(v.Data)
	d.Next()
	index := d.Uint8()
	if d.Err() != nil || index == 0 {
		return 0, errors.New("it does not say which of its fabrics this is")
	}
	return index, nil
}
