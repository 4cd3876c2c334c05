// Package wsjson reads Matter attribute values from the JSON of Home
// Assistant's Matter server, the Python one and the one on matter.js alike:
// attributes are named "endpoint/cluster/attribute" in decimal, struct fields
// by their numbers as strings, octet strings are base64, integers are bare
// numbers of up to 64 bits.
//
// It was written from the answers of a matter.js server of schema 13 and from
// the field notes about the Python server's files.
//
// The reader is below the sources and files that carry such JSON, and above
// package cluster.
package wsjson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"threadmap/diag/matter/cluster"
)

// Bounds of one value.
const (
	maxOctets   = 1 << 20 // a table of 1024 rows has a fifth of that
	maxDepth    = 8
	maxElements = 4096
	maxProblems = 50
)

// Attributes decodes those of a node's attributes that package cluster reads;
// the rest, certificates and access lists among it, is not looked at. One line
// for each attribute that could not be decoded.
func Attributes(raw map[string]json.RawMessage) (cluster.Attributes, []string) {
	out := cluster.Attributes{}
	var problems []string
	for _, key := range slices.Sorted(maps.Keys(raw)) { // sorted: the problems come in a stable order
		p, err := ParsePath(key)
		if err != nil || !cluster.Reads(p) {
			continue
		}
		v, err := Value(p, raw[key])
		switch {
		case err == nil:
			out[p] = v
		case len(problems) < maxProblems:
			problems = append(problems, fmt.Sprintf("%s: %v: left out", p, err))
		}
	}
	return out, problems
}

// ParsePath reads "0/53/7".
func ParsePath(s string) (cluster.Path, error) {
	var p cluster.Path
	if len(s) > 40 {
		return p, errors.New("no attribute path")
	}
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return p, errors.New("no attribute path")
	}
	var n [3]uint64
	for i, bits := range []int{16, 32, 32} {
		v, err := strconv.ParseUint(parts[i], 10, bits)
		if err != nil {
			return p, errors.New("no attribute path")
		}
		n[i] = v
	}
	return cluster.Path{Endpoint: uint16(n[0]), Cluster: uint32(n[1]), Attribute: uint32(n[2])}, nil
}

// Value decodes one attribute. What a person has blanked out ("**REDACTED**")
// is absent.
func Value(p cluster.Path, raw json.RawMessage) (cluster.Value, error) {
	if len(raw) > maxOctets {
		return cluster.Value{}, errors.New("is too large")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return cluster.Value{}, errors.New("is no JSON value")
	}
	c := converter{octets: octetStrings[[2]uint32{p.Cluster, p.Attribute}], left: maxElements}
	out := c.value(v, 0, "")
	return out, c.err
}

// octetStrings lists, for the attributes that are read, where a JSON string is
// base64 and not text: "" is the attribute itself, "4" field 4 of its rows.
var octetStrings = map[[2]uint32][]string{
	{cluster.GeneralDiagnostics, 0x0000}:           {"4", "5", "6"}, // HardwareAddress, IPv4Addresses, IPv6Addresses
	{cluster.ThreadNetworkDiagnostics, 0x0005}:     {""},            // MeshLocalPrefix
	{cluster.ThreadNetworkDiagnostics, 0x003C}:     {""},            // ChannelPage0Mask
	{cluster.OperationalCredentials, 0x0001}:       {"1", "6"},      // RootPublicKey, VIDVerificationStatement
	{cluster.ThreadBorderRouterManagement, 0x0001}: {""},            // BorderAgentID
	{cluster.ThreadNetworkDirectory, 0x0000}:       {""},            // PreferredExtendedPanID
	{cluster.ThreadNetworkDirectory, 0x0001}:       {"0"},           // ExtendedPanID
}

type converter struct {
	octets []string
	left   int
	err    error
}

func (c *converter) fail(format string, args ...any) cluster.Value {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
	return cluster.Value{}
}

// value converts v, which stands in the struct field named field ("" outside
// of structs).
func (c *converter) value(v any, depth int, field string) cluster.Value {
	if c.left--; c.left < 0 || depth > maxDepth {
		return c.fail("is too large or too deep")
	}
	switch v := v.(type) {
	case nil:
		return cluster.Null()
	case bool:
		return cluster.Bool(v)
	case json.Number:
		return c.number(string(v))
	case string:
		return c.string(v, field)
	case []any:
		out := make([]cluster.Value, 0, min(len(v), c.left))
		for _, e := range v {
			if c.err != nil {
				break
			}
			out = append(out, c.value(e, depth+1, field))
		}
		return cluster.List(out...)
	case map[string]any:
		out := make([]cluster.Field, 0, min(len(v), c.left))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			id, ok := fieldID(key)
			if !ok || c.err != nil {
				continue
			}
			out = append(out, cluster.Field{ID: id, Value: c.value(v[key], depth+1, key)})
		}
		return cluster.Struct(out...)
	}
	return c.fail("is of no known type")
}

// number keeps integers exact and never makes one of a fraction.
func (c *converter) number(s string) cluster.Value {
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return cluster.Uint(u)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return cluster.Int(i)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return cluster.Text(s) // out of every range
	}
	return cluster.Float(f)
}

func (c *converter) string(s, field string) cluster.Value {
	if s == "**REDACTED**" {
		return cluster.Value{}
	}
	if !slices.Contains(c.octets, field) {
		return cluster.Text(s)
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return cluster.Text(s) // not what the attribute wants, which its decoder will say
	}
	return cluster.Octets(b)
}

// fieldID reads a struct field's number. The Python server has been seen to
// write DeviceTypeStruct with names.
func fieldID(s string) (uint32, bool) {
	switch s {
	case "type", "deviceType":
		return 0, true
	case "revision":
		return 1, true
	}
	id, err := strconv.ParseUint(s, 10, 32)
	return uint32(id), err == nil
}
