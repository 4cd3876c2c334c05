package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"threadmap/diag"
	"threadmap/render"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
)

// maxPicture bounds the picture of a home of 50 devices, in bytes, with everything
// that its six sources tell of them in the titles.
const maxPicture = 60_000

// TestSizeOfDemoPicture: the picture that the demo draws is small enough to be
// put into a ticket.
func TestSizeOfDemoPicture(t *testing.T) {
	home := mesh.HomeOf50(demoSeed)
	o := withHomeAssistant(home)
	o.Matter = &world.MatterOptions{}
	w := startWorld(t, home, o)
	a := &app{in: bytes.NewReader(nil), out: &bytes.Buffer{}, err: &bytes.Buffer{}, getenv: func(string) string { return "" }}
	scan, err := a.scanWorld(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, s := range scan.Sources {
		if s.State == diag.StateAnswered {
			answered++
		}
	}
	var b bytes.Buffer
	if err := render.SVG(&b, a.document(scan, nil), render.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d answers", b.Len(), answered)
	if answered < 6 || b.Len() > maxPicture {
		t.Errorf("%d bytes of %d answers, at most %d", b.Len(), answered, maxPicture)
	}
}

// TestReadmePicture keeps the picture that README.md shows: the home of the demo,
// everything told at scriptTime. UPDATE=1 draws it anew; look at it before you
// commit it.
func TestReadmePicture(t *testing.T) {
	home := mesh.HomeOf50(demoSeed)
	scan := &diag.Scan{From: scriptTime, To: scriptTime, Complete: true, Probe: "demo", Reports: home.Reports(mesh.ReportOptions{At: scriptTime, Names: true})}
	a := &app{in: bytes.NewReader(nil), out: &bytes.Buffer{}, err: &bytes.Buffer{}, getenv: func(string) string { return "" }}
	var b bytes.Buffer
	if err := render.SVG(&b, a.document(scan, nil), render.Options{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "docs", "home.svg")
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, err := os.ReadFile(file); err != nil || !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s is another picture (%v): UPDATE=1 draws it anew", file, err)
	}
}
