package otbr

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"threadmap/diag"
	"threadmap/diag/otbr/restdoc"
)

// errNoResult is how OTBR of 2026-08 shows that nobody answered within the limit:
// a completed task without a result.
var errNoResult error = &failure{stage: diag.StageAsk, text: "did not answer", hint: "scan again; if it stays silent it may be gone"}

// ask runs one diagnostic task and fetches its result.
func (p *probe) ask(ctx context.Context, destination string, types []string, limit time.Duration) (restdoc.Document, error) {
	var all restdoc.Document
	a, err := p.task(ctx, "getNetworkDiagnosticTask", map[string]any{
		"destination": destination, "types": types, "timeout": int(limit / time.Second)}, limit)
	if err != nil {
		return all, err
	}
	if len(a.Result) == 0 {
		return all, errNoResult
	}
	for _, id := range a.Result[:min(len(a.Result), maxRouters)] {
		path := "/api/diagnostics/" + id
		body, gerr := p.c.get(ctx, path, typeJSONAPI, listWithin)
		if gerr != nil {
			err = gerr
			continue
		}
		d := restdoc.Read(body, p.context())
		all.Kind = d.Kind
		all.Reports = append(all.Reports, d.Reports...)
		all.Problems = append(all.Problems, d.Problems...)
		all.Lost = append(all.Lost, d.Lost...)
		p.remove(ctx, path)
	}
	return all, err
}

// task starts a task, waits until it is over, and takes it away again, also
// where the probe ends before the task does.
func (p *probe) task(ctx context.Context, typ string, attributes map[string]any, limit time.Duration) (restdoc.Action, error) {
	body, err := json.Marshal(map[string]any{"data": []any{map[string]any{"type": typ, "attributes": attributes}}})
	if err != nil {
		return restdoc.Action{}, err
	}
	answer, err := p.c.do(ctx, http.MethodPost, "/api/actions", typeJSONAPI, body, quickWithin)
	if err != nil {
		return restdoc.Action{}, err
	}
	actions, err := restdoc.ParseActions(answer)
	if err != nil || len(actions) != 1 || actions[0].ID == "" {
		return restdoc.Action{}, &failure{stage: diag.StageParse, text: "its answer to a new task can't be read"}
	}
	a := actions[0]
	defer p.remove(ctx, "/api/actions/"+a.ID)
	a, err = p.wait(ctx, a, limit+taskSlack)
	switch {
	case err != nil:
		return a, err
	case a.Status == "stopped":
		return a, &failure{stage: diag.StageAsk, stopped: true, text: fmt.Sprintf("no complete answer within %v", limit)}
	case a.Status != "completed":
		return a, &failure{stage: diag.StageAsk, text: "the border router says that the task failed"}
	}
	return a, nil
}

// wait looks at a task until it is over, at growing distances.
func (p *probe) wait(ctx context.Context, a restdoc.Action, limit time.Duration) (restdoc.Action, error) {
	over := time.NewTimer(p.c.pace.scale(limit))
	defer over.Stop()
	pause := p.c.pace.first
	look := time.NewTimer(pause)
	defer look.Stop()
	failed := 0
	for !a.Over() {
		select {
		case <-ctx.Done():
			return a, &failure{stage: diag.StageAsk, text: "the time was over before the task was"}
		case <-over.C:
			return a, &failure{stage: diag.StageAsk, text: fmt.Sprintf("the task was still %s after %v", cmp.Or(a.Status, "there"), limit), hint: "another program may keep the border router busy"}
		case <-look.C:
		}
		pause = min(2*pause, p.c.pace.longest)
		look.Reset(pause)
		b, err := p.action(ctx, a.ID)
		if err != nil {
			if failed++; failed == maxMute || !p.mayGoOn(ctx) {
				return a, err
			}
			continue
		}
		a, failed = b, 0
	}
	return a, nil
}

// action fetches the state of one task; from the list where it can't be had
// alone.
func (p *probe) action(ctx context.Context, id string) (restdoc.Action, error) {
	path := "/api/actions/" + id
	if p.listActions {
		path = "/api/actions"
	}
	body, err := p.c.get(ctx, path, typeJSONAPI, quickWithin)
	if s := statusOf(err); !p.listActions && (s == http.StatusNotFound || s == http.StatusMethodNotAllowed || s == http.StatusNotAcceptable) {
		p.listActions = true
		return p.action(ctx, id)
	}
	if err != nil {
		return restdoc.Action{}, err
	}
	actions, err := restdoc.ParseActions(body)
	for _, a := range actions {
		if a.ID == id {
			return a, nil
		}
	}
	if err != nil {
		return restdoc.Action{}, &failure{stage: diag.StageParse, text: err.Error()}
	}
	return restdoc.Action{}, &failure{stage: diag.StageAsk, text: "it has forgotten the task", hint: "was it restarted?"}
}

// remove takes away a task or a result of ours, so that OTBR's lists of 200
// are left to others. It is done after the probe's end too, and failing does
// not matter.
func (p *probe) remove(ctx context.Context, path string) {
	if p.c.mute >= maxMute {
		return
	}
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellWithin)
	defer cancel()
	mute := p.c.mute
	p.c.do(inner, http.MethodDelete, path, typeJSONAPI, nil, farewellWithin)
	p.c.mute = mute
}
