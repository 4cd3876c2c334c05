package render

import (
	"fmt"
	"image/png"
	"io"

	"threadmap/render/raster"
	"threadmap/render/scene"
	"threadmap/render/svg"
)

// PNG draws the picture of [SVG] as a bitmap, two pixels for one. The built-in
// font has Latin, Greek and Cyrillic; boxes stand for other characters, and the
// picture and [Options.Note] say so.
func PNG(w io.Writer, d *Document, o Options) error {
	s := drawScene(d, o)
	p, err := raster.New(s, svg.Style())
	if err != nil {
		return err
	}
	if n := p.Lacking(); n > 0 {
		s.Groups = append(s.Groups, scene.Group{Class: "foot", Shapes: []scene.Shape{{
			Kind: scene.Text, Class: "small", P: [4]scene.Point{{X: footLeft, Y: s.H}}, S: fmt.Sprintf("Boxes stand for characters that the font of this picture lacks, in %s; SVG and HTML show them.", texts(n)),
		}}})
		s.H += footHeight
		if p, err = raster.New(s, svg.Style()); err != nil {
			return err
		}
		o.note(fmt.Sprintf("PNG: %s have characters the built-in font lacks; SVG and HTML show them", texts(n)))
	}
	if scale := p.ScaledTo(); scale < raster.Scale {
		b := p.Bounds()
		o.note(fmt.Sprintf("PNG: the map is so large that it was drawn at %.0f %% of the usual size (%d × %d pixels); SVG and HTML have no such limit", 100*scale/raster.Scale, b.Dx(), b.Dy()))
	}
	return png.Encode(w, p)
}

// The foot of a picture, in tenths of a pixel.
const (
	footLeft   = 240
	footHeight = 200
)

func texts(n int) string {
	if n == 1 {
		return "1 name"
	}
	return fmt.Sprintf("%d names", n)
}
