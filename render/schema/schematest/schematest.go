// Package schematest checks documents against the schemas in tests.
//
// The reader is beside the tests of every package that writes or passes on a
// document; the product doesn't import it.
package schematest

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"threadmap/render/schema"
)

// Map fails the test when doc is no valid threadmap-map. It is stricter than
// the schema that users get: keys that the schema doesn't list are errors too,
// so a new key can't be forgotten there.
func Map(t testing.TB, doc []byte) {
	t.Helper()
	if err := Validate(schema.Map, doc); err != nil {
		t.Errorf("not a valid threadmap-map: %v", err)
	}
}

// Services fails the test when doc is no valid threadmap-services or
// threadmap-services-event, as strictly as [Map] does.
func Services(t testing.TB, doc []byte) {
	t.Helper()
	if err := Validate(schema.Services, doc); err != nil {
		t.Errorf("not a valid threadmap-services: %v", err)
	}
}

// Validate checks doc against a schema made strict.
func Validate(schemaJSON, doc []byte) error {
	s, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return err
	}
	closeObjects(s)
	c := jsonschema.NewCompiler()
	const at = "mem:///schema.json"
	if err := c.AddResource(at, s); err != nil {
		return err
	}
	sch, err := c.Compile(at)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return err
	}
	return sch.Validate(v)
}

// closeObjects forbids unlisted keys in every object of a schema.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["properties"]; ok && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closeObjects(x)
		}
	case []any:
		for _, x := range v {
			closeObjects(x)
		}
	}
}
