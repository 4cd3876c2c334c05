package timeline

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"threadmap/diag/icd"
	"threadmap/render/internal/text"
)

//go:embed style.css
var style string

// Options say how a timeline is drawn.
type Options struct {
	Name     string         // of the device, for people; "": its address
	Headline string         // the verdict in a sentence
	Location *time.Location // of the clock times; nil: UTC
}

// Measures, in tenths of a pixel.
const (
	width    = 12000
	margin   = 160
	nameCol  = 1950  // where the lanes' names end
	plotEnd  = 10200 // behind it is room for the last labels
	linkRow  = 190
	markRow  = 200
	labelRow = 140
	labelMax = 1700 // width of a label where there is little room
	labelAll = 3600 // and where there is much
	maxRows  = 5    // of labels in a lane
	together = 90   // marks of a kind that are nearer are one
)

// SVG draws a timeline as it was known at the verdict's time.
func SVG(w io.Writer, t *icd.Timeline, v *icd.Verdict, o Options) error {
	if t == nil || v == nil {
		return errors.New("timeline: nothing to draw")
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	p := &picture{t: t, v: v, o: o, start: t.Start.In(o.Location)}
	return p.write(w)
}

type picture struct {
	t     *icd.Timeline
	v     *icd.Verdict
	o     Options
	start time.Time
	axis  *axis
	b     strings.Builder // the body
	y     int
	used  [shapes]bool
}

func (p *picture) clock(s icd.Seconds) string {
	return p.start.Add(time.Duration(s)).Format(time.TimeOnly)
}

func (p *picture) add(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

// px is tenths of a pixel as SVG has them.
type px int

func (v px) String() string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	if v%10 == 0 {
		return fmt.Sprintf("%s%d", sign, int(v/10))
	}
	return fmt.Sprintf("%s%d.%d", sign, int(v/10), int(v%10))
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// esc makes a stranger's text fit for a text node or an attribute.
func esc(s string) string { return escaper.Replace(text.Clean(s)) }

func (p *picture) write(w io.Writer) error {
	times := []icd.Seconds{0, p.v.At}
	for o := range p.t.All() {
		if o.At <= p.v.At {
			times = append(times, o.At)
		}
	}
	for _, a := range p.v.Await[:min(len(p.v.Await), maxAwaits)] {
		times = append(times, max(a.NotAfter, 0), max(a.NotBefore, 0))
	}
	p.axis = newAxis(times, p.v.At, nameCol, plotEnd)

	title := p.o.Headline
	if title == "" {
		title = Headline(p.v)
	}
	name := p.o.Name
	if name == "" {
		name = string(p.v.Node)
	}
	p.y = 420
	for i, line := range wrap(title, 1000*(width-2*margin)/190, 2) {
		p.add(`<text class="title" x="%v" y="%v">%s</text>`+"\n", px(margin), px(p.y+i*240), esc(line))
		p.y += i * 240
	}
	p.y += 220
	sub := fmt.Sprintf("%s, %s, %s to %s", text.Clean(name), p.start.Format("2006-01-02 MST"), p.clock(0), p.clock(p.v.At))
	if p.v.Mode == icd.ModeLongIdle {
		sub += ", long idle time"
	} else if p.v.Mode == icd.ModeShortIdle {
		sub += ", short idle time"
	}
	if p.v.Subscriber != "" {
		sub += ", as " + text.Clean(p.v.Subscriber) + " has it"
	}
	p.add(`<text class="small" x="%v" y="%v">%s</text>`+"\n", px(margin), px(p.y), esc(text.Fit(sub, 1000*(width-2*margin)/105)))
	p.y += 160

	top := p.y
	body := p.b.String()
	p.b.Reset()
	p.ticks(p.y + 150)
	p.y += 220
	p.links()
	p.lanes()
	p.awaited()
	plotBottom := p.y + 40
	p.y += 330
	p.ticks(p.y)
	p.y += 120
	bottom := p.y
	p.legend()
	p.next()
	rest := p.b.String()
	p.b.Reset()
	p.frame(top, bottom, plotBottom)
	frame := p.b.String()

	height := p.y + margin
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%v" height="%v" viewBox="0 0 %v %v" role="img" aria-labelledby="icd-title icd-desc" class="icd">`+
		"\n<title id=\"icd-title\">%s</title>\n<desc id=\"icd-desc\">%s</desc>\n<style>\n%s</style>\n"+`<rect class="page" width="100%%" height="100%%"/>`+"\n",
		px(width), px(height), px(width), px(height), esc(title), esc(p.description()), style)
	_, err := io.WriteString(w, head+body+frame+rest+"</svg>\n")
	return err
}

// Headline is a verdict in a sentence.
func Headline(v *icd.Verdict) string {
	switch {
	case v.Healthy != nil && *v.Healthy:
		return "It is back: every link holds."
	case v.Link != 0:
		return fmt.Sprintf("Broken at %s: “%s”.", v.Link, v.Link.Title())
	}
	if unseen, ok := v.Works(); ok {
		names := make([]string, len(unseen))
		for i, l := range unseen {
			names[i] = l.String()
		}
		return "It works: presses arrive. Not observed: " + strings.Join(names, ", ") + "."
	}
	if n := len(v.Parties); n > 1 {
		names := make([]string, n)
		for i, p := range v.Parties {
			names[i] = p.Title()
		}
		return "It does not work, and nothing tells apart whose matter it is: " + strings.Join(names[:n-1], ", ") + " or " + names[n-1] + "."
	}
	return "Nothing is seen to be broken, but not every link was seen to hold."
}

// description tells those who don't see the picture what it says.
func (p *picture) description() string {
	words := []string{}
	for _, s := range p.v.Chain {
		words = append(words, fmt.Sprintf("%s %s: %s", s.Link, s.Link.Title(), s.State))
	}
	for _, a := range p.v.Await[:min(len(p.v.Await), maxAwaits)] {
		words = append(words, fmt.Sprintf("awaited until %s: %s", p.clock(a.NotAfter), a.What))
	}
	return strings.Join(words, ". ") + "."
}

// frame draws what lies behind: the card, the grid, cuts, and now.
func (p *picture) frame(top, bottom, plotBottom int) {
	p.add(`<rect class="card" x="%v" y="%v" width="%v" height="%v" rx="6"/>`+"\n", px(margin-60), px(top), px(width-2*margin+120), px(bottom-top))
	y0, y1 := top+200, plotBottom
	for i := 1; i < len(p.axis.parts); i++ {
		a, b := p.axis.parts[i-1], p.axis.parts[i]
		x0, x1 := a.x1+padding, b.x0-padding
		p.add(`<g><title>%s without news</title><rect class="gap" x="%v" y="%v" width="%v" height="%v"/>`, esc(span(b.t0-a.t1)), px(x0), px(y0), px(x1-x0), px(y1-y0))
		p.add(`<path class="cut" d="M%v %vV%vM%v %vV%v"/><text class="tick" text-anchor="middle" x="%v" y="%v">%s</text></g>`+"\n",
			px(x0), px(y0), px(y1), px(x1), px(y0), px(y1), px((x0+x1)/2), px(y1+140), esc("+"+span(b.t0-a.t1)))
	}
	if a := p.axis; len(a.future) > 0 {
		p.add(`<g><title>what is awaited, not to scale</title><rect class="gap" x="%v" y="%v" width="%v" height="%v"/><text class="tick" text-anchor="middle" x="%v" y="%v">not to scale</text></g>`+"\n",
			px(a.x0), px(y0), px(a.x1-a.x0), px(y1-y0), px((a.x0+a.x1)/2), px(y1+140))
	}
	for _, t := range p.axis.ticks(p.start, 620) {
		p.add(`<path class="grid" d="M%v %vV%v"/>`+"\n", px(t.x), px(y0), px(y1))
	}
	x := p.axis.at(p.v.At)
	p.add(`<g><title>the verdict is of %s</title><path class="now" d="M%v %vV%v"/></g>`+"\n", esc(p.clock(p.v.At)), px(x), px(y0), px(y1))
}

// ticks writes clock times.
func (p *picture) ticks(y int) {
	for _, t := range p.axis.ticks(p.start, 620) {
		p.add(`<text class="tick" text-anchor="middle" x="%v" y="%v">%s</text>`+"\n", px(t.x), px(y), t.text)
	}
}

func (p *picture) laneName(name string, y int) {
	p.add(`<text class="name" x="%v" y="%v">%s</text>`+"\n", px(margin), px(y), esc(name))
}

func (p *picture) rule() {
	p.add(`<path class="rule" d="M%v %vH%v"/>`+"\n", px(margin), px(p.y), px(width-margin))
}

// legend says what the shapes that were used mean.
func (p *picture) legend() {
	p.y += 210
	x := margin
	item := func(draw func(x, y int), words string) {
		w := 220 + text.Room(words)*105/1000 + 160
		if x+w > width-margin {
			x, p.y = margin, p.y+180
		}
		draw(x+60, p.y-40)
		p.add(`<text class="small" x="%v" y="%v">%s</text>`+"\n", px(x+160), px(p.y), esc(words))
		x += w
	}
	band := func(s icd.State) func(x, y int) {
		return func(x, y int) { p.band(x-60, x+80, y-30, 70, s) }
	}
	item(band(icd.Seen), "link seen to hold")
	item(band(icd.Broken), "seen broken")
	item(band(icd.Unknown), "not known")
	for s := range shapes {
		if p.used[s] {
			item(func(x, y int) { p.mark(s, Neutral, x, y) }, shapeNames[s])
		}
	}
}

// next says what to do.
func (p *picture) next() {
	if p.v.Next == nil {
		return
	}
	p.y += 100
	for _, l := range wrap("→ "+text.Clean(p.v.Next.Do), 1000*(width-2*margin)/110, 3) {
		p.y += 170
		p.add(`<text x="%v" y="%v">%s</text>`+"\n", px(margin), px(p.y), esc(l))
	}
}

// wrap breaks cleaned text into at most n lines of a room (see text.Room).
func wrap(s string, room, n int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(text.Clean(s)) {
		if line != "" && text.Room(line+" "+word) > room {
			if len(out) == n-1 {
				line += " " + word // is cut below
				continue
			}
			out, line = append(out, line), word
			continue
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(out, text.Fit(line, room))
}

// maxAwaits bounds the rows of what is awaited.
const maxAwaits = 6

func (p *picture) awaited() {
	all := p.v.Await[:min(len(p.v.Await), maxAwaits)]
	if len(all) == 0 {
		return
	}
	p.rule()
	for i, a := range all {
		p.y += 60
		x0, x1 := p.axis.at(max(a.NotBefore, 0)), p.axis.at(max(a.NotAfter, a.NotBefore, 0))
		if i == 0 {
			p.laneName("awaited", p.y+110)
		}
		words := fmt.Sprintf("%s, until %s", text.Clean(a.What), p.clock(a.NotAfter))
		p.add(`<g><title>%s: %s to %s</title><rect class="await" x="%v" y="%v" width="%v" height="%v" rx="2"/></g>`+"\n",
			esc(a.What), esc(p.clock(a.NotBefore)), esc(p.clock(a.NotAfter)), px(x0), px(p.y), px(max(x1-x0, 60)), px(120))
		p.y += 250
		words = text.Fit(words, 1000*(width-margin-nameCol)/105)
		x := min(x0, width-margin-text.Room(words)*105/1000)
		p.add(`<text class="note" x="%v" y="%v">%s</text>`+"\n", px(x), px(p.y), esc(words))
	}
	p.y += 60
}

// A stand is how the links stood at a time.
type stand struct {
	at    icd.Seconds
	state [11]icd.State
	why   [11]string
}

// maxStands and maxWork bound how often a timeline is judged.
const (
	maxStands = 80
	maxWork   = 2_000_000 // observations looked at
)

// stands judges the timeline at the times at which something was observed.
func (p *picture) stands() []stand {
	var times []icd.Seconds
	for o := range p.t.All() {
		if o.At < p.v.At && (len(times) == 0 || o.At > times[len(times)-1]) {
			times = append(times, o.At)
		}
	}
	if most := min(maxStands, maxWork/(p.t.Len()+1)); len(times) > most {
		some := make([]icd.Seconds, 0, most)
		for i := range most {
			some = append(some, times[i*len(times)/most])
		}
		times = some
	}
	var out []stand
	for _, at := range times {
		v, err := icd.Evaluate(p.t, at, p.v.Subscriber)
		if err != nil { // the subscriber was not known yet
			if v, err = icd.Evaluate(p.t, at, ""); err != nil {
				continue
			}
		}
		out = append(out, standOf(v, at))
	}
	return append(out, standOf(p.v, p.v.At))
}

func standOf(v *icd.Verdict, at icd.Seconds) stand {
	s := stand{at: at}
	for l := icd.L1; l <= icd.L10; l++ {
		s.state[l] = icd.Unknown
	}
	for _, x := range v.Chain {
		if x.Link >= icd.L1 && x.Link <= icd.L10 {
			s.state[x.Link] = x.State
			s.why[x.Link] = strings.Join(x.Because, "; ")
		}
	}
	return s
}

// links draws how each link stood over time.
func (p *picture) links() {
	all := p.stands()
	for l := icd.L1; l <= icd.L10; l++ {
		p.y += linkRow
		y := p.y - 50
		p.add(`<text class="note" x="%v" y="%v">%s</text>`+"\n", px(margin), px(p.y-20), esc(l.String()+" "+l.Title()))
		end := p.axis.at(p.v.At)
		for i := 0; i < len(all); {
			k := i + 1
			for k < len(all) && all[k].state[l] == all[i].state[l] {
				k++
			}
			x0, x1, until := p.axis.at(all[i].at), end, p.v.At
			if i == 0 {
				x0 = p.axis.at(0)
			}
			if k < len(all) {
				x1, until = p.axis.at(all[k].at), all[k].at
			} else {
				x1 = max(x1, x0+60) // that it came to this shows, however late
			}
			if x1 > x0 {
				p.add(`<g><title>%s %s: %s from %s to %s%s</title>`, l, esc(l.Title()), all[i].state[l], esc(p.clock(all[i].at)), esc(p.clock(until)), esc(because(clip(all[k-1].why[l], 300))))
				p.band(x0, x1, y-30, 80, all[i].state[l])
				p.add("</g>\n")
			}
			i = k
		}
	}
	p.y += 90
}

// band draws a stretch of a link's state: solid, hatched, or a dotted line.
func (p *picture) band(x0, x1, y, h int, s icd.State) {
	switch s {
	case icd.Seen:
		p.add(`<rect class="seen" x="%v" y="%v" width="%v" height="%v"/>`, px(x0), px(y), px(x1-x0), px(h))
	case icd.Broken:
		p.add(`<rect class="broken" x="%v" y="%v" width="%v" height="%v"/><path class="broken-lines" d="`, px(x0), px(y), px(x1-x0), px(h))
		for x := x0 + 20; x+40 <= x1; x += 70 {
			p.add("M%v %vl%v %v", px(x), px(y+h), px(40), px(-h))
		}
		p.add(`"/>`)
	default:
		p.add(`<path class="unknown" d="M%v %vH%v"/>`, px(x0), px(y+h/2), px(x1))
	}
}

// lanes draws who saw what.
func (p *picture) lanes() {
	teller := NewTeller(p.t)
	var by [lanes][]mark
	for o := range p.t.All() {
		if o.At > p.v.At {
			break
		}
		n := teller.Note(o)
		x := p.axis.at(o.At)
		row, kind := by[n.Lane], o.By+" "+o.Event
		if i := slices.IndexFunc(row[max(0, len(row)-8):], func(m mark) bool { return m.kind == kind && m.note.Tone == n.Tone && x-m.x < together }); i >= 0 {
			row[max(0, len(row)-8)+i].more(o.At, n)
			continue
		}
		by[n.Lane] = append(row, mark{x: x, kind: kind, note: n, count: 1, kinds: []said{{o.At, n.Text}}})
	}
	for l := range lanes {
		if len(by[l]) > 0 {
			p.lane(l, by[l])
		}
	}
}

type said struct {
	at   icd.Seconds
	text string
}

// A mark is one sign in a lane, of one observation or of several of a kind.
type mark struct {
	x     int
	kind  string
	note  Note
	count int
	again bool   // it says what the one of its kind before it said
	kinds []said // the first few
}

func (m *mark) more(at icd.Seconds, n Note) {
	m.count++
	if len(m.kinds) < 6 {
		m.kinds = append(m.kinds, said{at, n.Text})
	}
}

// lasting are lengths of time, in which what is the same again may differ.
var lasting = regexp.MustCompile(`[0-9.]+ (s|min|h)\b`)

// label is the words of a mark in a room.
func (m *mark) label(room int) string {
	if m.count > 1 {
		return fmt.Sprintf("%s ×%d", text.Fit(m.note.Text, 1000*(room-250)/105), m.count)
	}
	return text.Fit(m.note.Text, 1000*room/105)
}

// lane draws the marks of a lane, and their words below them where there is room:
// from right to left, each in the highest row that is free, so that the line from
// a mark down to its words crosses no other words.
func (p *picture) lane(l Lane, marks []mark) {
	p.rule()
	p.y += markRow - 40
	base := p.y
	p.laneName(l.String(), base+40)
	last := map[string]string{}
	for i := range marks {
		words := lasting.ReplaceAllString(marks[i].note.Text, "")
		marks[i].again = last[marks[i].kind] == words
		last[marks[i].kind] = words
	}
	starts := [maxRows]int{}
	for i := range starts {
		starts[i] = width - margin
	}
	rows := 0
	for i := range slices.Backward(marks) {
		m := &marks[i]
		if m.again {
			continue // its mark is enough
		}
		x := m.x - 30
		words, r := "", 0
		for _, room := range []struct{ width, rows int }{{labelAll, 3}, {labelMax, maxRows}} {
			words = m.label(room.width)
			font := 105
			if m.note.Tone == Bad {
				font = 116 // bold
			}
			end := x + text.Room(words)*font/1000
			for r = 0; r < room.rows && end+80 > starts[r]; r++ {
			}
			if r < room.rows {
				break
			}
		}
		if r < maxRows {
			y := base + 190 + r*labelRow
			if r > 0 {
				p.add(`<path class="lead" d="M%v %vV%v"/>`, px(m.x), px(base+60), px(y-90))
			}
			p.add(`<text class="note%s" x="%v" y="%v">%s</text>`+"\n", map[bool]string{true: " bad"}[m.note.Tone == Bad], px(x), px(y), esc(words))
			starts[r], rows = x-40, max(rows, r+1)
			for k := range r { // the line down keeps the rows above free
				starts[k] = min(starts[k], x-40)
			}
		}
	}
	for i := range marks {
		m := &marks[i]
		p.used[m.note.shape] = true
		var lines []string
		for _, k := range m.kinds {
			lines = append(lines, p.clock(k.at)+" "+k.text)
		}
		if n := m.count - len(m.kinds); n > 0 {
			lines = append(lines, fmt.Sprintf("and %d more", n))
		}
		for k := range lines {
			lines[k] = esc(lines[k])
		}
		p.add(`<g role="img"><title>%s</title>`, strings.Join(lines, "\n"))
		p.mark(m.note.shape, m.note.Tone, m.x, base)
		p.add("</g>\n")
	}
	p.y = base + 100 + rows*labelRow + 30
}

// mark draws a shape around a place.
func (p *picture) mark(s shape, tone Tone, x, y int) {
	class := "mark" + [...]string{"", " good", " bad"}[tone]
	path := func(class, d string) { p.add(`<path class="%s" d="%s"/>`, class, d) }
	at := func(dx, dy int) string { return fmt.Sprintf("%v %v", px(x+dx), px(y+dy)) }
	switch s {
	case up:
		path(class, "M"+at(0, -50)+"L"+at(50, 40)+"L"+at(-50, 40)+"Z")
	case down:
		path(class+" hollow", "M"+at(0, 50)+"L"+at(50, -40)+"L"+at(-50, -40)+"Z")
	case ask:
		p.add(`<circle class="%s hollow" cx="%v" cy="%v" r="5"/>`, class, px(x), px(y))
		p.add(`<text class="tick" text-anchor="middle" x="%v" y="%v">?</text>`, px(x), px(y+35))
	case diamond:
		path(class, "M"+at(0, -58)+"L"+at(50, 0)+"L"+at(0, 58)+"L"+at(-50, 0)+"Z")
	case square:
		p.add(`<rect class="%s" x="%v" y="%v" width="8.4" height="8.4"/>`, class, px(x-42), px(y-42))
	case cross:
		path(class+" line", "M"+at(-42, -42)+"L"+at(42, 42)+"M"+at(42, -42)+"L"+at(-42, 42))
	case flag:
		path(class, "M"+at(-30, 55)+"V"+px(y-55).String()+"L"+at(50, -25)+"L"+at(-30, 5))
	default:
		p.add(`<circle class="%s" cx="%v" cy="%v" r="3.6"/>`, class, px(x), px(y))
	}
}
