package svg

import _ "embed"

// style gives the classes of package scene their looks. Quality shows in
// colour, width and dashes, so it can be told without seeing colours.
//
//go:embed style.css
var style string

// Style is the style sheet of all pictures, for other writers of scenes.
func Style() string { return style }
