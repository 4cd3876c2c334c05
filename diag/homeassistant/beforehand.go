package homeassistant

import (
	"context"
	"encoding/json"

	"threadmap/diag"
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

// Datasets asks the Home Assistant at url for the credentials of its Thread
// networks, and for nothing else: a scan can do so before it asks border agents.
// It takes a token of an administrator. The error is one line with what to do
// about it; what came before it is returned too.
func (s Source) Datasets(ctx context.Context, url string) ([]Dataset, error) {
	at, err := parseEndpoint(url)
	if err != nil {
		return nil, err
	}
	login, ok := s.login(at)
	if !ok {
		return nil, oneLine(at, &failure{text: "no token for it", hint: "threadmap login ha " + at.String()})
	}
	c, done := s.newClient(at, login)
	defer done()
	conn, err := c.connect(ctx)
	if err != nil {
		s.refused(at, err)
		return nil, oneLine(at, err)
	}
	defer conn.close()
	var out []Dataset
	if err := conn.datasets(ctx, func(d Dataset) { out = append(out, d) }, func(error) {}); err != nil {
		return out, oneLine(at, err)
	}
	return out, nil
}

func (s Source) refused(at endpoint, err error) {
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
