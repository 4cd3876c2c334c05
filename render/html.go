package render

import (
	"bytes"
	"io"
	"maps"
	"slices"

	"threadmap/render/internal/view"
	"threadmap/render/page"
	"threadmap/topology"
)

// HTML writes the page: the picture and all that is known, to search, filter
// and follow, in one file without anything fetched. [Document.Earlier] become
// positions of its slider.
func HTML(w io.Writer, d *Document, o Options) error {
	scans := make([]page.Scan, 0, len(d.Earlier)+1)
	for _, e := range append(d.Earlier[:len(d.Earlier):len(d.Earlier)], d) {
		s, err := pageScan(e, o)
		if err != nil {
			return err
		}
		scans = append(scans, s)
	}
	return page.Write(w, scans)
}

func pageScan(d *Document, o Options) (page.Scan, error) {
	v := d.view(o.ShowDead)
	s := page.Scan{
		Sentence: v.Sentence(), Caption: captionLine(d), Sources: map[string]string{},
		Map: func(w io.Writer) error { return JSON(w, d, o) },
	}
	var picture bytes.Buffer
	if err := pagePicture(&picture, d, o); err != nil {
		return s, err
	}
	s.Picture = picture.Bytes()
	for _, n := range v.Map.Nodes {
		s.Nodes = append(s.Nodes, [2]string{v.Label(n), view.Role(n)})
	}
	for _, l := range v.Map.Links {
		if l.A != nil && l.B != nil { // as JSON has them
			s.Links = append(s.Links, view.LinkWord(l))
		}
	}
	for _, name := range sourceNames(d) {
		if in, said := Clean(name), view.SourceName(name); said != in {
			s.Sources[in] = said
		}
	}
	return s, nil
}

// sourceNames lists every name of a source that the document has.
func sourceNames(d *Document) []string {
	found := map[string]bool{}
	evidence := func(l []topology.Evidence) {
		for _, e := range l {
			found[e.Source] = true
		}
	}
	conflicts := func(l []topology.Conflict) {
		for _, c := range l {
			for _, x := range c.Claims {
				found[x.Evidence.Source] = true
			}
		}
	}
	m := d.topology()
	for _, n := range m.Networks {
		evidence(n.Evidence)
		conflicts(n.Conflicts)
	}
	for _, n := range m.Nodes {
		evidence(n.Evidence)
		conflicts(n.Conflicts)
		for _, x := range n.Names {
			found[x.Source] = true
		}
	}
	for _, l := range m.Links {
		evidence(l.Evidence)
	}
	for _, f := range d.Findings {
		evidence(f.Evidence)
	}
	if d.Scan != nil {
		for _, x := range d.Scan.Sources {
			found[x.Name] = true
		}
		for _, p := range d.Scan.Problems {
			found[p.Source] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
