// Package schematest checks documents against the schemas in tests.
//
// The reader is beside the tests of every package that writes or passes on a
// document; the product doesn't import it.
package schematest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
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

// Document fails the test when doc is no valid document of its own "format".
func Document(t testing.TB, doc []byte) {
	t.Helper()
	if err := Validate(nil, doc); err != nil {
		t.Errorf("not valid: %v", err)
	}
}

// Validate checks doc against a schema made strict; nil is that of the format
// which doc names.
func Validate(schemaJSON, doc []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return err
	}
	all, err := compiled()
	if err != nil {
		return err
	}
	m, _ := v.(map[string]any)
	format, _ := m["format"].(string)
	for i, b := range schema.All() {
		if schemaJSON == nil && strings.HasSuffix(strings.TrimSuffix(all[i].Location, "#"), ":schema:"+format+":1") || schemaJSON != nil && bytes.Equal(b, schemaJSON) {
			return all[i].Validate(v)
		}
	}
	return fmt.Errorf("no schema for format %q", format)
}

// compiled are the schemas, in the order of schema.All.
var compiled = sync.OnceValues(func() ([]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	var ids []string
	for _, b := range schema.All() {
		s, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		id, _ := s.(map[string]any)["$id"].(string)
		closeObjects(s)
		if err := c.AddResource(id, s); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	var out []*jsonschema.Schema
	for _, id := range ids {
		s, err := c.Compile(id)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
})

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
