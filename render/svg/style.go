package svg

import _ "embed"

// style gives the classes of package scene their looks. Quality shows in
// colour, width and dashes, so it can be told without seeing colours.
//
//go:embed style.css
var style string

// areaStyle is that of the areas of rooms, in pictures that have some. They are of
// strong colours that let most of the ground through, so that they are soft on light
// and on dark, and text on them has nearly the contrast that it has beside them. The
// broad edge makes them round.
//
//go:embed areas.css
var areaStyle string

// Style is the style sheet of all pictures, for other writers of scenes.
func Style() string { return style + areaStyle }
