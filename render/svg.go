package render

import (
	"io"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/render/scene"
	"threadmap/render/svg"
)

// SVG draws the picture: layout gives places, scene makes shapes of them, svg
// writes those.
func SVG(w io.Writer, d *Document, o Options) error {
	return svg.Write(w, drawScene(d, o))
}

// pagePicture is the same picture with what the page's script finds its parts by.
func pagePicture(w io.Writer, d *Document, o Options) error {
	return svg.WriteForPage(w, drawScene(d, o))
}

func drawScene(d *Document, o Options) *scene.Scene {
	return scene.Draw(layout.Place(d.view(o.ShowDead)), scene.Caption{At: reference(d), Line: captionLine(d)})
}

// captionLine says when the map was learnt, and from whom.
func captionLine(d *Document) string {
	var s []string
	if at := reference(d); !at.IsZero() {
		s = append(s, at.UTC().Format("2006-01-02 15:04 MST"))
	}
	if d.Scan != nil {
		if p := Clean(d.Scan.Probe); p != "" {
			s = append(s, "from "+p)
		}
		var names []string
		for _, x := range d.Scan.Sources {
			if n := view.SourceName(x.Name); x.State == diag.StateAnswered && n != "" && len(names) < 12 && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		if len(names) > 0 {
			s = append(s, "told by "+strings.Join(names, ", "))
		}
		if !d.Scan.Complete {
			s = append(s, "incomplete: not everybody who was asked answered")
		}
	}
	return strings.Join(s, " · ")
}
