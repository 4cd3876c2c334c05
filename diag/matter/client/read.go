package client

import (
	"context"
	"errors"
	"fmt"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
)

// Read reads attributes and events. Lists that changed while they were sent in
// pieces are read again, once.
//
// The report is never nil. With an error it has what was said until then; an
// error of a single attribute is in its Value. A node need not take more than
// im.MaxReadPaths paths, and says PATHS_EXHAUSTED then.
func Read(ctx context.Context, s *session.Secure, req im.ReadRequest) (*Report, error) {
	what := "reading from " + name(s)
	r := newReport(s)
	if err := r.read(ctx, s, what, req); err != nil {
		return r, err
	}
	if again := r.torn(); len(again) > 0 {
		req = im.ReadRequest{Attributes: again, FabricFiltered: req.FabricFiltered}
		if err := r.read(ctx, s, what+" again", req); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *Report) read(ctx context.Context, s *session.Secure, what string, req im.ReadRequest) error {
	payload, err := req.Encode()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	r.Complete = false
	err = do(ctx, s, what, func(t *turn) error {
		first, err := t.ask(im.OpReadRequest, payload, im.OpReportData)
		if err != nil {
			return err
		}
		return t.collect(r, first, nil)
	})
	r.Attributes.Cut()
	return err
}

// torn are the attributes that did not come in one piece, as many as a node
// takes in one request.
func (r *Report) torn() (paths []im.AttributePath) {
	for v := range r.Attributes.Values() {
		if (errors.Is(v.Err, im.ErrInconsistent) || errors.Is(v.Err, im.ErrNoBase)) && len(paths) < im.MaxReadPaths {
			paths = append(paths, im.One(v.Path.Endpoint, v.Path.Cluster, v.Path.Attribute))
		}
	}
	return paths
}
