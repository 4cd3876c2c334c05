// Package names reads the file in which users say what they call their devices:
//
//	# names.yaml: any identity of a device, then its name
//	86c42aee25485123: Hall button
//	Kitchen HomePod._meshcop._udp: {name: HomePod, room: Kitchen}
//
// The reader is below the verbs of threadmap, which apply the aliases to each
// map they draw ([threadmap/topology.Map.Rename]).
package names

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"threadmap/topology"
)

// Bounds of the file, checked before the parser sees it: its time grows faster
// than its input. They leave room for a thousand devices.
const (
	MaxSize = 128 << 10 // octets
	maxLine = 600       // octets
	maxName = 120       // octets of a name or room
)

// Parse reads the file. An error is one line and tells the line it is about.
func Parse(b []byte) (aliases []topology.Alias, err error) {
	defer func() {
		if recover() != nil { // the parser is somebody else's
			aliases, err = nil, errors.New("not readable as YAML")
		}
	}()
	if err := check(b); err != nil {
		return nil, err
	}
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, fmt.Errorf("not readable as YAML: %s", firstLine(err))
	}
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode:
		case *ast.MappingNode:
			for _, entry := range body.Values {
				if aliases, err = add(aliases, entry); err != nil {
					return nil, err
				}
			}
		case *ast.MappingValueNode: // a mapping of one entry, in some versions of the parser
			if aliases, err = add(aliases, body); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("line %d: want lines such as \"86c42aee25485123: Hall button\"", body.GetToken().Position.Line)
		}
	}
	return aliases, nil
}

func check(b []byte) error {
	if len(b) > MaxSize {
		return fmt.Errorf("%d octets; at most %d are read", len(b), MaxSize)
	}
	n := 0
	for line := range strings.SplitSeq(string(b), "\n") {
		n++
		if len(line) > maxLine || strings.Count(line, "{")+strings.Count(line, "[") > 8 {
			return fmt.Errorf("line %d: too long or nested too deeply", n)
		}
	}
	for _, t := range lexer.Tokenize(string(b)) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType:
			return fmt.Errorf("line %d: anchors, aliases and tags are not read; put the name in quotes", t.Position.Line)
		}
	}
	return nil
}

// add reads one entry. Keys and names are taken as they are written: an address
// of digits only is no number.
func add(to []topology.Alias, entry *ast.MappingValueNode) ([]topology.Alias, error) {
	key := entry.Key.GetToken()
	a := topology.Alias{Identity: strings.TrimSpace(key.Value)}
	for _, have := range to {
		if strings.EqualFold(have.Identity, a.Identity) {
			return nil, fmt.Errorf("line %d: %q has a name already", key.Position.Line, have.Identity)
		}
	}
	var fields []*ast.MappingValueNode
	switch v := entry.Value.(type) {
	case *ast.MappingNode:
		fields = v.Values
	case *ast.MappingValueNode:
		fields = []*ast.MappingValueNode{v}
	default:
		text, err := scalar(entry.Value)
		if err != nil {
			return nil, err
		}
		a.Name = text
	}
	for _, f := range fields {
		text, err := scalar(f.Value)
		if err != nil {
			return nil, err
		}
		switch f.Key.GetToken().Value {
		case "name":
			a.Name = text
		case "room":
			a.Room = text
		default:
			return nil, fmt.Errorf("line %d: %q: want \"name\" or \"room\"", f.Key.GetToken().Position.Line, f.Key.GetToken().Value)
		}
	}
	if a.Identity == "" || a.Name == "" && a.Room == "" {
		return nil, fmt.Errorf("line %d: want an identity and a name, such as \"86c42aee25485123: Hall button\"", key.Position.Line)
	}
	return append(to, a), nil
}

func scalar(n ast.Node) (string, error) {
	if n == nil {
		return "", errors.New("an identity without a name at the end of the file")
	}
	t := n.GetToken()
	if _, ok := n.(ast.ScalarNode); !ok || n.Type() == ast.LiteralType {
		return "", fmt.Errorf("line %d: want a name on one line", t.Position.Line)
	}
	if n.Type() == ast.NullType {
		return "", nil
	}
	s := strings.TrimSpace(t.Value)
	if len(s) > maxName {
		return "", fmt.Errorf("line %d: a name of %d octets; at most %d are read", t.Position.Line, len(s), maxName)
	}
	return s, nil
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return s
}
