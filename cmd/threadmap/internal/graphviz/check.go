package graphviz

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

// What a program gives back goes into a file that browsers open, so it is read as
// any stranger's: only what Graphviz draws our graphs with may be in it.

// checkPicture says what is wrong with a picture of nodes nodes.
func checkPicture(b []byte, format string, nodes int) error {
	if format == "png" {
		return checkPNG(b)
	}
	return checkSVG(b, nodes)
}

// elementsAllowed and attributesAllowed are all that Graphviz, 2.43 to 12, uses for our graphs.
// There are no scripts among them, no styles, no images, and no links: the
// element a carries the text that is shown while the pointer rests on something.
var (
	elementsAllowed   = []string{"svg", "g", "title", "polygon", "polyline", "path", "ellipse", "circle", "text", "a"}
	attributesAllowed = []string{
		"class", "id", "cx", "cy", "rx", "ry", "r", "x", "y", "d", "points", "width", "height", "viewBox", "transform",
		"fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-dasharray", "stroke-width", "stroke-linecap", "stroke-linejoin",
		"font-family", "font-size", "font-weight", "font-style", "text-anchor", "version", "xmlns", "xlink:title", "xmlns:xlink", "xml:space",
	}
	// namespaces are values of xmlns and xmlns:xlink.
	namespaces = []string{"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
)

// maxDepth is how deep elements may stand in each other; Graphviz needs 5.
const maxDepth = 16

func checkSVG(b []byte, nodes int) error {
	// The plain lexer is what is wanted: prefixes are looked at as they are written.
	d := xml.NewDecoder(bytes.NewReader(b))
	var open []string
	drawn, roots := 0, 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("it is no SVG: %v", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			// An internal subset could define entities.
			if s := string(t); roots > 0 || !strings.HasPrefix(s, "DOCTYPE svg PUBLIC ") || strings.ContainsAny(s, "[]<>&%") {
				return errors.New("it has a declaration that Graphviz does not make")
			}
		case xml.ProcInst:
			if t.Target != "xml" || roots > 0 {
				return errors.New("it has an instruction that Graphviz does not make")
			}
		case xml.StartElement:
			name := qualified(t.Name)
			if len(open) == 0 {
				roots++
				if name != "svg" || roots > 1 {
					return errors.New("it is no SVG")
				}
			} else if name == "svg" {
				return errors.New("it is more than one SVG")
			}
			if !slices.Contains(elementsAllowed, name) {
				return fmt.Errorf("it has the element %.40q", name)
			}
			if open = append(open, name); len(open) > maxDepth {
				return errors.New("its elements stand too deep in each other")
			}
			node, err := checkAttributes(t.Attr)
			if err != nil {
				return err
			}
			if node && name == "g" {
				drawn++
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != qualified(t.Name) {
				return errors.New("it is no SVG: an element ends that did not begin")
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) == 0 && len(bytes.TrimSpace(t)) > 0 {
				return errors.New("it is no SVG: there is text around it")
			}
		}
	}
	switch {
	case roots == 0 || len(open) > 0:
		return errors.New("it is no whole SVG")
	case drawn != nodes:
		return fmt.Errorf("it shows %d nodes of %d", drawn, nodes)
	}
	return nil
}

// checkAttributes also reports whether they are those of a node.
func checkAttributes(l []xml.Attr) (node bool, err error) {
	for _, x := range l {
		name := qualified(x.Name)
		switch {
		case !slices.Contains(attributesAllowed, name):
			return false, fmt.Errorf("it has the attribute %.40q", name)
		case strings.HasPrefix(name, "xmlns") && !slices.Contains(namespaces, x.Value):
			return false, errors.New("it has a namespace that Graphviz does not use")
		case name != "xlink:title" && strings.Contains(strings.ToLower(x.Value), "url("):
			return false, errors.New("it refers to something outside of it")
		}
		node = node || name == "class" && x.Value == "node"
	}
	return node, nil
}

func qualified(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

// maxPixels bounds a bitmap, which whoever opens it has to hold unpacked.
const maxPixels = 200 << 20

const pngHead = "\x89PNG\r\n\x1a\n"

// checkPNG looks at the frame of a bitmap: its size and its chunks, not the pixels.
func checkPNG(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(pngHead))
	if !ok {
		return errors.New("it is no PNG")
	}
	broken := errors.New("it is no whole PNG")
	for first := true; ; first = false {
		if len(rest) < 12 {
			return broken
		}
		n := binary.BigEndian.Uint32(rest)
		if uint64(n) > uint64(len(rest)-12) {
			return broken
		}
		kind, data := string(rest[4:8]), rest[8:8+n]
		if crc32.ChecksumIEEE(rest[4:8+n]) != binary.BigEndian.Uint32(rest[8+n:]) {
			return broken
		}
		rest = rest[12+n:]
		switch {
		case first != (kind == "IHDR"):
			return broken
		case first:
			if n != 13 {
				return broken
			}
			w, h := uint64(binary.BigEndian.Uint32(data)), uint64(binary.BigEndian.Uint32(data[4:]))
			if w == 0 || h == 0 || w > maxPixels || h > maxPixels || w*h > maxPixels {
				return fmt.Errorf("it has %d by %d pixels", w, h)
			}
		case kind == "IEND":
			if n != 0 || len(rest) > 0 {
				return broken
			}
			return nil
		}
	}
}
