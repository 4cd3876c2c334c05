package homeassistant

import (
	"cmp"
	"context"
	"encoding/json"

	"threadmap/diag"
	"threadmap/diag/internal/apiurl"
	"threadmap/diag/tmf/pskc"
)

// maxDatasets bounds the Thread networks of one Home Assistant.
const maxDatasets = 64

// A Dataset is a Thread network that Home Assistant has a credential of. The
// network key has been left unread; the PSKc says "(secret)" however it is
// printed.
type Dataset struct {
	pskc.Dataset
	Preferred bool   // the network that Home Assistant gives to new devices
	Origin    string // who brought it: "otbr", "Google", "matter"; "": not said
}

// Beforehand is what a scan does well to know of a Home Assistant before it plans
// whom to ask.
type Beforehand struct {
	// Reached tells that it let us in. Where it did not, it will not in a moment
	// either.
	Reached bool
	// Datasets are the Thread networks that it has a credential of: it takes a
	// token of an administrator.
	Datasets []Dataset
	// MatterServer tells that the Matter server is an app of it that runs, so
	// that [Source.MatterServer] may reach it, and Port where its own port is open
	// (TCP; 0: it is not).
	MatterServer bool
	Port         uint16
}

// Beforehand asks the Home Assistant at url for that, for the datasets only if they
// are wanted, and for nothing else. The error is a [diag.Problem]; what came before
// it is returned too. What it does not have is no error.
func (s Source) Beforehand(ctx context.Context, url string, datasets bool) (b Beforehand, err error) {
	at, err := parseEndpoint(url)
	if err != nil {
		return b, diag.Problem{Source: Name, Target: "unreadable URL", Stage: diag.StageResolve, Text: err.Error(), Hint: "give it as http://HOST:8123", Partial: true}
	}
	problem := func(err error) error {
		f := asFailure(err)
		return diag.Problem{Source: Name, Target: at.String(), Stage: f.stage, Text: f.text, Hint: f.hint, Partial: f != errNoAdmin}
	}
	login, ok := s.login(at)
	if !ok {
		return b, problem(&failure{stage: diag.StageHandshake, text: "no token for it", hint: "threadmap login ha " + at.String()})
	}
	c, done := s.newClient(at, login)
	defer done()
	conn, err := c.connect(ctx)
	if err != nil {
		s.refused(at, err)
		return b, problem(err)
	}
	defer conn.close()
	b.Reached = true
	h, err := conn.home(ctx)
	if err != nil && asFailure(err).fatal {
		return b, problem(err)
	}
	if h.components != nil && h.has("hassio") {
		app, err := conn.matterServer(ctx)
		if err != nil && asFailure(err).fatal {
			return b, problem(err)
		}
		b.MatterServer, b.Port = err == nil, app.port
	}
	switch {
	case !datasets || !h.has("thread"):
		return b, nil
	case !h.admin.Or(true):
		return b, problem(errNoAdmin)
	}
	var odd error
	err = cmp.Or(conn.datasets(ctx, func(d Dataset) { b.Datasets = append(b.Datasets, d) }, func(e error) { odd = e }), odd)
	switch {
	case err == nil:
		return b, nil
	case asFailure(err).code == "unauthorized":
		return b, problem(errNoAdmin)
	case asFailure(err).absent():
		return b, nil
	}
	return b, problem(err)
}

func (s Source) refused(at apiurl.URL, err error) {
	if asFailure(err).code == "auth_invalid" && s.OnRefused != nil {
		s.OnRefused(at.String())
	}
}

// datasets hands every Thread network to give, and what is wrong with one of
// them to odd.
func (s *socket) datasets(ctx context.Context, give func(Dataset), odd func(error)) error {
	raw, err := s.call(ctx, "thread/list_datasets", nil, quickWithin)
	if err != nil {
		return err
	}
	var list struct {
		Datasets json.RawMessage `json:"datasets"`
	}
	_ = json.Unmarshal(raw, &list) // another shape has none
	type row struct {
		ID        text            `json:"dataset_id"`
		Source    text            `json:"source"`
		Preferred json.RawMessage `json:"preferred"`
	}
	found, _ := rows[row](list.Datasets, maxDatasets)
	for _, r := range found {
		if r.ID == "" {
			continue
		}
		raw, err := s.call(ctx, "thread/get_dataset_tlv", map[string]any{"dataset_id": string(r.ID)}, quickWithin)
		if err != nil {
			if asFailure(err).fatal {
				return err
			}
			odd(err)
			continue
		}
		var answer struct {
			TLV string `json:"tlv"`
		}
		_ = json.Unmarshal(raw, &answer)
		clear(raw)
		d, err := pskc.ParseDataset(answer.TLV)
		if err != nil || d.ExtPANID == 0 {
			odd(&failure{stage: diag.StageParse, text: "one of its Thread datasets can't be read"}) // no error of a secret's parser is quoted
			continue
		}
		give(Dataset{Dataset: d, Preferred: string(r.Preferred) == "true", Origin: string(r.Source)})
	}
	return nil
}
