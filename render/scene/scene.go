// Package scene is a picture as plain data: groups of shapes with places,
// class names and hover titles. It knows nothing of files; render/svg writes a
// scene, and other writers (a page, a bitmap) can do the same.
//
// The reader is between layout, which gives places, and the writers.
package scene

// A Point is a place in tenths of a pixel.
type Point struct{ X, Y int }

// A Scene is a whole picture.
type Scene struct {
	W, H   int // tenths of a pixel
	Title  string
	Desc   string
	Groups []Group
}

// A Group is drawn in order: its shapes, then its groups.
type Group struct {
	Class string
	ID    string // of the node it shows; may be any text
	// Ends are the IDs of the nodes that the link it shows joins; of the trunk of
	// a fan the first only, the node it comes from. A page follows links by them.
	Ends   [2]string
	Title  string // shown while the pointer rests on it; lines separated by \n
	Shapes []Shape
	Groups []Group
}

// A Kind is a kind of shape.
type Kind uint8

// The kinds of shapes and what P and R are.
const (
	Line    Kind = iota // P[0] to P[1]
	Quad                // Bézier curve P[0], P[1], P[2]
	Cubic               // Bézier curve P[0] … P[3]
	Path                // open polyline: Poly
	Polygon             // closed: Poly
	Circle              // middle P[0], radius R
	Ellipse             // middle P[0], radii P[1]
	Rect                // corner P[0], size P[1], corner radius R
	Text                // base line at P[0], S; Anchor
	Area                // of the room S: closed lines that may overlap, each ends in Poly where it began
)

// An Anchor says which end of a text its place is.
type Anchor uint8

// The anchors.
const (
	Start Anchor = iota
	Middle
	End
)

// A Shape is one shape. Class says what it means; a writer knows the looks.
type Shape struct {
	Kind   Kind
	Class  string
	P      [4]Point
	Poly   []Point
	R      int
	S      string
	Anchor Anchor
	Len    int // width of the text, whatever font there is; 0: as wide as it gets
}
