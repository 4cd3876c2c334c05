package schema_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"threadmap/render"
	"threadmap/render/internal/fixture"
	"threadmap/render/schema"
	"threadmap/render/schema/schematest"
)

func document(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := render.JSON(&b, &render.Document{Map: fixture.Home(), Scan: fixture.Scan()}, render.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWrongDocumentsAreRefused: the schema is no formality.
func TestWrongDocumentsAreRefused(t *testing.T) {
	good := document(t)
	if err := schematest.Validate(schema.Map, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"version":1`, `"version":2`}, {`"role":"leader"`, `"role":"boss"`}, {`"rloc16":"0x0000"`, `"rloc16":0`}, {`"lq":3`, `"lq":4`}, {`"lq":3`, `"lq":"3"`},
		{`"ext_addr":"86c4`, `"ext_addr":"86C4`}, {`"border_router":true`, `"border_router":1`}, {`"parent_confidence":null,`, ``}, {`"names":[]`, `"names":null`},
		{`"room":`, `"rooom":`}, {`"kind":"router"`, `"kind":"mesh"`}, {`"state":"ok","a_to_b"`, `"state":"fine","a_to_b"`}, {`"paths":null`, `"paths":null,"extra":1`},
		{`"from":"2026-11-22T14:01:53.8Z"`, `"from":"yesterday"`}, {`"confidence":"confirmed"`, `"confidence":"sure"`}, {`"partial":false`, `"partial":null`},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Errorf("the document has no %s", c[0])
		} else if schematest.Validate(schema.Map, []byte(bad)) == nil {
			t.Errorf("%s instead of %s was accepted", c[1], c[0])
		}
	}
}

// TestKeysMayBeAdded: the schema that users get accepts the documents of a
// newer threadmap, as it promises.
func TestKeysMayBeAdded(t *testing.T) {
	for _, one := range schema.All() {
		keysMayBeAdded(t, one)
	}
}

func keysMayBeAdded(t *testing.T, one []byte) {
	var s any
	if err := json.Unmarshal(one, &s); err != nil {
		t.Fatal(err)
	}
	var look func(any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["additionalProperties"]; ok {
				t.Errorf("additionalProperties is set: %v", v)
			}
			if p, ok := v["properties"].(map[string]any); ok && len(v["required"].([]any)) != len(p) {
				t.Errorf("not every key is required: %v", v)
			}
			for _, x := range v {
				look(x)
			}
		case []any:
			for _, x := range v {
				look(x)
			}
		}
	}
	look(s)
}
