package render

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadmap/render/internal/fixture"
	"threadmap/render/layout/measure"
	"threadmap/topology"
)

// byEngine has a program draw dot as SVG with an engine of Graphviz, and reads
// the picture.
func byEngine(t testing.TB, program, engine string, dot []byte, limit time.Duration) (drawn, error) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-K"+engine, "-Tsvg")
	cmd.Stdin = bytes.NewReader(dot)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	start := time.Now()
	raw, err := cmd.Output()
	wall := time.Since(start)
	if ctx.Err() != nil {
		return drawn{}, fmt.Errorf("more than %v", limit)
	}
	if err != nil {
		line, _, _ := strings.Cut(complaint.String(), "\n")
		return drawn{}, fmt.Errorf("%v: %s", err, line)
	}
	out, err := readGraphviz(raw)
	out.wall, out.cpu, out.bytes = wall, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), len(raw)
	return out, err
}

// readGraphviz takes nodes and edges out of an SVG by Graphviz.
func readGraphviz(raw []byte) (drawn, error) {
	out := drawn{at: map[int]measure.Point{}}
	at := map[string]int{}
	out.ids = at
	type edge struct{ title, d string }
	var edges []edge
	kind, title, tag := "", "", ""
	for d := xml.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, err
		}
		switch x := token.(type) {
		case xml.CharData:
			if tag == "title" {
				title += string(x)
			}
		case xml.EndElement:
			tag = ""
		case xml.StartElement:
			a := map[string]string{}
			for _, y := range x.Attr {
				a[y.Name.Local] = y.Value
			}
			if tag = x.Name.Local; tag == "g" && a["class"] != "" {
				kind, title = a["class"], ""
			}
			switch {
			case kind == "edge" && tag == "path":
				edges = append(edges, edge{title, a["d"]})
			case kind == "node" && tag == "ellipse":
				p := numbers(a["cx"] + " " + a["cy"] + " " + a["rx"] + " " + a["ry"])
				if len(p) != 4 {
					return out, fmt.Errorf("ellipse of %s", title)
				}
				at[title] = len(at)
				out.at[at[title]] = measure.Point{X: p[0], Y: p[1]}
				out.boxes = append(out.boxes, measure.Box{X: p[0] - p[2], Y: p[1] - p[3], W: 2 * p[2], H: 2 * p[3]})
			case kind == "node" && tag == "polygon":
				p := numbers(a["points"])
				if len(p) < 6 || len(p)%2 != 0 {
					return out, fmt.Errorf("polygon of %s", title)
				}
				var xs, ys []float64
				for i := 0; i < len(p); i += 2 {
					xs, ys = append(xs, p[i]), append(ys, p[i+1])
				}
				b := measure.Box{X: slices.Min(xs), Y: slices.Min(ys), W: slices.Max(xs) - slices.Min(xs), H: slices.Max(ys) - slices.Min(ys)}
				at[title] = len(at)
				out.at[at[title]] = measure.Point{X: b.X + b.W/2, Y: b.Y + b.H/2}
				out.boxes = append(out.boxes, b)
			}
		}
	}
	for _, e := range edges {
		from, to, _ := strings.Cut(e.title, "--")
		a, okA := at[from]
		b, okB := at[to]
		p := numbers(strings.NewReplacer("M", " ", "C", " ").Replace(e.d))
		if !okA || !okB || len(p) < 8 || len(p)%6 != 2 {
			return out, fmt.Errorf("edge %q with %d numbers", e.title, len(p))
		}
		l := measure.Line{A: a, B: b}
		point := func(i int) measure.Point { return measure.Point{X: p[i], Y: p[i+1]} }
		for i := 0; i+7 < len(p); i += 6 {
			l.Points = append(l.Points, measure.Cubic(point(i), point(i+2), point(i+4), point(i+6))...)
		}
		out.lines = append(out.lines, l)
		out.links = append(out.links, [2]int{a, b})
	}
	return out, nil
}

func numbers(s string) (out []float64) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' }) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil
		}
		out = append(out, v)
	}
	return out
}

// routerLines are the lines between routers.
func (d drawn) routerLines(routers map[int]bool) (out []measure.Line) {
	for _, l := range d.lines {
		if routers[l.A] && routers[l.B] {
			out = append(out, l)
		}
	}
	return out
}

// fewestOfRouters are the fewest crossings of links between routers that any of the
// eight engines (dot, neato, sfdp and twopi of Graphviz 2.43 and 12.1.2) drew without
// letting nodes overlap.
var fewestOfRouters = map[string]int{
	"home": 0, "ring 6/50": 2, "floor 4/10": 0, "floor 6/20": 3, "floor 8/50": 3, "floor 10/50": 60, "floor 12/50": 208,
	"floor 16/50": 35, "floor 20/100": 112, "floor 24/124": 20, "floor 31/131": 709, "floor 31/250": 4493,
}

// TestFewCrossingsOfRouters: of links between routers alone, too, our drawings
// have on average hardly more crossings than the best engine for each home.
func TestFewCrossingsOfRouters(t *testing.T) {
	names, maps := judged()
	sum := 0.0
	for _, name := range names {
		routers := map[int]bool{}
		for i, n := range maps[name].Nodes {
			routers[i] = n.Role.Routes()
		}
		got := measure.Crossings(ours(maps[name]).routerLines(routers))
		if limit := fewestOfRouters[name]*3/2 + 2; got > limit {
			t.Errorf("%s: %d crossings, the best engine has %d", name, got, fewestOfRouters[name])
		}
		sum += float64(got+1) / float64(fewestOfRouters[name]+1)
	}
	mean := sum / float64(len(names))
	if t.Logf("%.2f times the crossings of the best engine", mean); mean > 1.1 {
		t.Errorf("%.2f times the crossings of the best engine", mean)
	}
}

// sizes are the graphs of the table, small ones first.
func sizes() (names []string, maps map[string]*topology.Map) {
	maps = map[string]*topology.Map{}
	add := func(name string, m *topology.Map) { names, maps[name] = append(names, name), m }
	add("mesh 10", fixture.Floor(0, 4, 6, 500))
	add("mesh 50", fixture.Floor(2, 8, 42, 400))
	add("mesh 250", fixture.Floor(9, 31, 219, 500))
	add("mesh 1,000", fixture.Floors(4, 31, 219, 500))
	add("mesh 5,000", fixture.Floors(20, 31, 219, 500))
	add("mesh 16,000", fixture.Floors(64, 31, 219, 500))
	add("tree 10", fixture.Trees(1, 2, 4))
	add("tree 50", fixture.Trees(1, 8, 5))
	add("tree 250", fixture.Trees(1, 31, 7))
	add("tree 1,000", fixture.Trees(4, 31, 7))
	add("tree 5,000", fixture.Trees(20, 31, 7))
	add("tree 16,000", fixture.Trees(64, 31, 7))
	return names, maps
}

// TestAgainstGraphviz prints, as a table, what our drawings and those of
// Graphviz's engines cost and are like: of the homes by which crossings are
// judged, then of bigger and bigger meshes and trees. THREADMAP_COMPARE lists
// programs that take Graphviz's arguments, such as "dot threadmap-graphviz",
// THREADMAP_ENGINES the engines if not all four, THREADMAP_GRAPHS the names of
// graphs, as a regular expression. An engine that was too slow for a
// graph is not tried with a bigger one of its kind.
func TestAgainstGraphviz(t *testing.T) {
	programs := strings.Fields(os.Getenv("THREADMAP_COMPARE"))
	if len(programs) == 0 {
		t.Skip(`THREADMAP_COMPARE="dot" compares with this program, in minutes`)
	}
	engines := strings.Fields(os.Getenv("THREADMAP_ENGINES"))
	if len(engines) == 0 {
		engines = []string{"dot", "neato", "sfdp", "twopi"}
	}
	const limit = 60 * time.Second
	fmt.Println("| graph | who | wall | CPU | SVG | crossings | of routers | overlaps | spread |\n|---|---|---|---|---|---|---|---|---|")
	late := map[string]bool{}
	ratio, ratioRouters, homes := 0.0, 0.0, 0
	only := regexp.MustCompile(os.Getenv("THREADMAP_GRAPHS"))
	one := func(name string, m *topology.Map, judge bool) {
		if !only.MatchString(name) {
			return
		}
		routers := map[int]bool{}
		links := 0
		for i, n := range m.Nodes {
			routers[i] = n.Role.Routes()
		}
		for _, l := range m.Links {
			if l.Kind == topology.LinkRouter {
				links++
			}
		}
		heading := fmt.Sprintf("%s (%d nodes, %d router links)", name, len(m.Nodes), links)
		// Ours first, as the fastest of five.
		d := ours(m)
		for i := range 5 {
			var pic bytes.Buffer
			start, used := time.Now(), ownCPU()
			if err := SVG(&pic, &Document{Map: m, Scan: fixture.Scan()}, Options{}); err != nil {
				t.Fatal(err)
			}
			if wall := time.Since(start); i == 0 || wall < d.wall {
				d.wall, d.cpu, d.bytes = wall, ownCPU()-used, pic.Len()
			}
		}
		own, ownRouters := measure.Crossings(d.lines), measure.Crossings(d.routerLines(routers))
		d.row(heading, "threadmap", routers)
		// Drawings in which nodes lie on each other are not compared with.
		best, bestRouters := -1, -1
		var dot bytes.Buffer
		if err := DOT(&dot, &Document{Map: m}, Options{}); err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			for _, e := range engines {
				shape, _, _ := strings.Cut(name, " ")
				who := p[strings.LastIndex(p, "/")+1:] + " " + e
				if late[shape+who] {
					fmt.Printf("| | %s | not tried | | | | | | |\n", who)
					continue
				}
				x, err := byEngine(t, p, e, dot.Bytes(), limit)
				if err != nil {
					fmt.Printf("| | %s | %v | | | | | | |\n", who, err)
					late[shape+who] = !judge
					continue
				}
				theirs := x.order(m)
				x.row("", who, theirs)
				if measure.Overlaps(x.boxes) > 0 {
					continue
				}
				if n := measure.Crossings(x.lines); best < 0 || n < best {
					best = n
				}
				if n := measure.Crossings(x.routerLines(theirs)); bestRouters < 0 || n < bestRouters {
					bestRouters = n
				}
			}
		}
		if judge && best >= 0 {
			ratio += float64(own+1) / float64(best+1)
			ratioRouters += float64(ownRouters+1) / float64(bestRouters+1)
			homes++
		}
	}
	names, maps := judged()
	for _, name := range names {
		one(name, maps[name], true)
	}
	if homes > 0 {
		fmt.Printf("\nCrossings beside the best engine for each home that lets no nodes overlap, (ours+1)/(best+1) on average of %d homes: %.2f, of router links alone %.2f\n\n",
			homes, ratio/float64(homes), ratioRouters/float64(homes))
	}
	names, maps = sizes()
	for _, name := range names {
		one(name, maps[name], false)
	}
}

// order tells which nodes of a drawing by Graphviz are routers.
func (d drawn) order(m *topology.Map) map[int]bool {
	routers := map[int]bool{}
	for _, n := range m.Nodes {
		if i, ok := d.ids[n.ID]; ok {
			routers[i] = n.Role.Routes()
		}
	}
	return routers
}

func (d drawn) row(heading, who string, routers map[int]bool) {
	fmt.Printf("| %s | %s | %s | %s | %d kB | %d | %d | %d | %.2f |\n", heading, who, seconds(d.wall), seconds(d.cpu), d.bytes/1000,
		measure.Crossings(d.lines), measure.Crossings(d.routerLines(routers)), measure.Overlaps(d.boxes), measure.Spread(d.at, d.links))
}

func seconds(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
