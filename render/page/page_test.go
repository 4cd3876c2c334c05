package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"threadmap/render"
	"threadmap/render/internal/fixture"
	"threadmap/render/internal/view"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// examined is a document of a map with what a doctor found in it.
func examined(m *topology.Map) *render.Document {
	d := &render.Document{Map: m, Scan: fixture.Scan()}
	d.Findings = doctor.Examine(doctor.New(d.Map, d.Scan, nil))
	return d
}

// homeNow is a home of today with two scans before it.
func homeNow() *render.Document {
	d := examined(fixture.Home())
	for days := 2; days >= 1; days-- {
		m := fixture.Home()
		if days == 2 { // a node came later
			m.Nodes = slices.DeleteFunc(m.Nodes, func(n *topology.Node) bool { return n.Name == "Dishwasher" })
		}
		e := examined(m)
		e.Scan.From, e.Scan.To = e.Scan.From.AddDate(0, 0, -days), e.Scan.To.AddDate(0, 0, -days)
		d.Earlier = append(d.Earlier, e)
	}
	return d
}

func hostile() *render.Document {
	m, s := fixture.Hostile()
	return &render.Document{Map: m, Scan: s}
}

func drawn(t *testing.T, write func(io.Writer, *render.Document, render.Options) error, d *render.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, d, render.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mark is the mark of a node in the picture, by the beginning of its label.
func mark(label string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#picture [data-id]")].find(e => e.getAttribute("aria-label").startsWith(%q)).querySelector(".mark")`, label)
}

const (
	rows    = `document.querySelectorAll("#devices tbody tr").length`
	bright  = `document.querySelectorAll("#picture [data-id]:not(.dim)").length`
	lit     = `document.querySelectorAll("#picture .lit").length`
	details = `document.querySelector("#details").innerText`
	counted = `document.querySelector("#count").textContent`
	focused = `(document.activeElement.getAttribute("aria-label") || document.activeElement.id)`
)

func TestPage(t *testing.T) {
	b := startChromium(t)
	d := homeNow()
	file := pageFile(t, d)
	open := func(t *testing.T) *tab { return b.open(t, file, 1280, 860) }

	t.Run("search", func(t *testing.T) {
		x := open(t)
		x.want(counted, "25 nodes")
		x.key("/", 0)
		x.want(focused, "Search devices")
		x.typeText("RADIATOR")
		x.want(counted, "2 of 25 nodes")
		x.want(rows, "2")
		x.want(bright, "2")
		x.typeText(" kitchen")
		x.want(counted, "1 of 25 nodes")
		x.key("Enter", 0)
		x.want(`document.querySelector("#details h2").textContent`, "Radiator kitchen")
		x.key("Escape", 0)
		x.want(`document.querySelector("#details").hidden`, "true")
		x.key("Escape", 0)
		x.want(counted, "25 nodes")
		for _, c := range []struct{ what, hits string }{{"0x0000", "1"}, {"fd00:db8:a0::ff:fe00:0", "1"}, {"ffffffff00000012", "1"}, {"nest-pan", "2"}, {"leader", "2"}, {"linus", "1"}, {"f5d1c6e0a1b2", "1"}, {"no such thing", "0"}} {
			x.eval(nil, fmt.Sprintf(`(() => { const s = document.querySelector("#search"); s.value = %q; s.dispatchEvent(new Event("input")) })()`, c.what))
			x.want(counted, c.hits+" of 25 nodes")
		}
	})

	t.Run("filter", func(t *testing.T) {
		x := open(t)
		set := func(name, value string) {
			x.eval(nil, fmt.Sprintf(`(() => { const s = document.querySelector("#f-%s"); s.value = %q; if (s.value !== %q) throw new Error("no such choice"); s.dispatchEvent(new Event("change")) })()`, name, value, value))
		}
		for _, c := range []struct{ name, value, nodes string }{
			{"network", "=feed00000000beef", "2"}, {"network", "=", "2"}, {"role", "=border", "3"}, {"role", "=sleepy", "11"}, {"room", "=Kitchen", "1"},
			{"hops", "=0", "3"}, {"hops", "=none", "4"}, {"state", "=silent", "1"}, {"link", "=stale", "2"},
		} {
			set(c.name, c.value)
			x.want(counted, c.nodes+" of 25 nodes")
			x.want(rows, c.nodes)
			x.want(bright, c.nodes)
			set(c.name, "any")
		}
		set("link", "=bad")
		x.want(`[...document.querySelectorAll("#picture .link[data-b]:not(.dim)")].every(e => /weak|one-way|dying/.test(e.getAttribute("class")))`, "true")
		x.want(`document.querySelector("#filters").classList.contains("on")`, "true")
		x.click(`document.querySelector("#filters summary")`)
		x.shot("filter")
		x.click(`document.querySelector("#clear")`)
		x.want(counted, "25 nodes")
		x.click(`document.querySelector("#views")`)
		x.want(`document.querySelector("#filters").open`, "false")
	})

	t.Run("details and the way", func(t *testing.T) {
		x := open(t)
		x.click(mark("Hall button"))
		text := x.text(details)
		for _, want := range []string{"Hall button", "sleepy · MyHome", "Kitchen HomePod", "(confirmed)", "Home Assistant", "0x0001", "86c42aee00062e26", "node ffffffff00000012, fabric 9d1c6a2bffee0011", "71 %", "long intervals (LIT)",
			"Hall button → Kitchen HomePod", "1 hop", "worst link 1 of 3", "is heard: quality 1 of 3, −89 dBm", "Statements that disagree", "Desk plug", "NeighborTable, 60 min ago, kept by it", "Who says so"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in the details:\n%s", want, text)
			}
		}
		x.want(lit, "1")
		x.shot("details")
		// the second way, by way of the Kitchen HomePod to the other border router
		x.click(`[...document.querySelectorAll("#details [aria-pressed]")][1]`)
		x.want(lit, "2")
		ends := x.text(`[...document.querySelectorAll("#picture .lit")].map(e => e.dataset.a + "-" + e.dataset.b).sort().join()`)
		n := d.Map.Nodes[slices.IndexFunc(d.Map.Nodes, func(n *topology.Node) bool { return n.Name == "Hall button" })]
		hops := d.Map.Routing().Cheapest(n)[1].Hops
		for i := 1; i < len(hops); i++ {
			if a, b := hops[i-1].ID, hops[i].ID; !strings.Contains(ends, a+"-"+b) && !strings.Contains(ends, b+"-"+a) {
				t.Errorf("the step from %s to %s is not lit: %s", a, b, ends)
			}
		}
		// a name in the details goes there
		x.click(`document.querySelector("#details dd .go")`)
		x.want(`document.querySelector("#details h2").textContent`, "Kitchen HomePod")
		x.want(`document.querySelector("#picture .chosen").getAttribute("aria-label")`, "Kitchen HomePod, border router, leader")
		// a click beside everything closes
		corner := [2]float64{}
		x.eval(&corner, `(() => { const r = document.querySelector("#picture").getBoundingClientRect(); return [r.left + 3, r.bottom - 3] })()`)
		x.mouse("mousePressed", corner, nil)
		x.mouse("mouseReleased", corner, nil)
		x.want(`document.querySelector("#details").hidden`, "true")
		x.want(bright, "25")
	})

	t.Run("a link", func(t *testing.T) {
		x := open(t)
		const line = `[...document.querySelectorAll("#picture .link.one-way[data-b]")][0]`
		at := [2]float64{}
		x.eval(&at, `(() => { const p = `+line+`.querySelector(".hit path"), q = p.getPointAtLength(p.getTotalLength() * 0.3), m = p.getScreenCTM(); return [q.x * m.a + m.e, q.y * m.d + m.f + 4] })()`)
		x.mouse("mousePressed", at, nil)
		x.mouse("mouseReleased", at, nil)
		text := x.text(details)
		for _, want := range []string{"Cellar bulb", "Garden plug", "one-way", "What each end hears", "quality 2 of 3", "quality 0 of 3", "heard 12 s before"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in the details:\n%s", want, text)
			}
		}
		x.want(bright, "2")
	})

	t.Run("slider", func(t *testing.T) {
		x := open(t)
		x.want(`document.querySelector("#time").hidden`, "false")
		x.click(mark("Desk plug"))
		x.eval(nil, `document.querySelector("#when").focus()`)
		x.key("ArrowLeft", 0)
		x.want(`document.querySelector("#when").value`, "1")
		x.want(counted, "25 nodes")
		x.want(`document.querySelector("#details h2").textContent`, "Desk plug") // still chosen
		x.want(`document.querySelector("#picture .chosen").getAttribute("aria-label")`, "Desk plug, router")
		x.click(`document.querySelector("#older")`)
		x.want(counted, "24 nodes")
		x.want(`document.querySelectorAll("#picture svg").length`, "1")
		x.want(`document.querySelector("#caption").textContent.slice(0, 16)`, "2026-11-20 14:02")
		x.want(`document.querySelector("#older").disabled`, "true")
		x.shot("slider")
		x.click(`document.querySelector("#newer")`)
		x.click(`document.querySelector("#newer")`)
		x.want(counted, "25 nodes")
	})

	t.Run("keyboard", func(t *testing.T) {
		x := open(t)
		x.eval(nil, `document.querySelector("#picture").focus()`)
		x.key("Tab", 0) // one node is in the tab order
		x.want(`document.activeElement.getAttribute("data-id") !== null`, "true")
		first := x.text(focused)
		x.key("Enter", 0)
		x.want(`document.querySelector("#picture .chosen").getAttribute("aria-label")`, first)
		before := x.text(`document.querySelector("#picture .chosen .mark").getBoundingClientRect().x`)
		for _, key := range []string{"ArrowRight", "ArrowLeft", "ArrowDown"} {
			x.key(key, 0)
			if s := x.text(focused); s != first {
				x.want(`document.querySelector("#picture .chosen").getAttribute("aria-label")`, s)
			}
		}
		if x.text(focused) == first && x.text(`document.querySelector("#picture .chosen .mark").getBoundingClientRect().x`) == before {
			t.Error("no arrow went anywhere")
		}
		x.key("Escape", 0)
		x.want(`document.querySelectorAll("#picture .chosen").length`, "0")
		x.want(`document.activeElement.closest("#picture") !== null`, "true")
		box := x.text(`document.querySelector("#picture svg").getAttribute("viewBox")`)
		x.key("ArrowRight", 8) // with Shift
		if x.text(`document.querySelector("#picture svg").getAttribute("viewBox")`) == box {
			t.Error("Shift and an arrow moved nothing")
		}
		x.key("+", 0)
		x.key("0", 0)
		// text is a hair wider or narrower at another size
		x.want(fmt.Sprintf(`document.querySelector("#picture svg").getAttribute("viewBox").split(" ").every((v, i) => Math.abs(v - %q.split(" ")[i]) < 3)`, box), "true")
		x.eval(nil, `document.querySelector("#t-map").focus()`)
		x.key("ArrowRight", 0)
		x.want(`document.querySelector("#devices").hidden`, "false")
		x.want(focused, "t-devices")
	})

	t.Run("pan and zoom", func(t *testing.T) {
		x := open(t)
		scale := func() (s float64) {
			x.eval(&s, `document.querySelector("#picture svg").getScreenCTM().a`)
			return s
		}
		at, was := x.middle(mark("Desk plug")), scale()
		x.mouse("mouseWheel", at, map[string]any{"deltaX": 0, "deltaY": -400, "button": "none", "buttons": 0})
		x.eval(nil, `new Promise(requestAnimationFrame)`)
		if now := scale(); now < was*1.5 {
			t.Errorf("the wheel zoomed from %v to %v", was, now)
		}
		if now := x.middle(mark("Desk plug")); abs(now[0]-at[0])+abs(now[1]-at[1]) > 2 {
			t.Errorf("what is under the pointer went from %v to %v", at, now)
		}
		free := [2]float64{at[0] + 40, at[1] + 60}
		x.mouse("mousePressed", free, nil)
		x.mouse("mouseMoved", [2]float64{free[0] + 30, free[1] + 30}, nil)
		x.mouse("mouseMoved", [2]float64{free[0] + 80, free[1] + 50}, nil)
		x.mouse("mouseReleased", [2]float64{free[0] + 80, free[1] + 50}, nil)
		if now := x.middle(mark("Desk plug")); abs(now[0]-at[0]-80)+abs(now[1]-at[1]-50) > 3 {
			t.Errorf("dragging by 80, 50 moved %v to %v", at, now)
		}
		x.want(`document.querySelector("#details").hidden`, "true")
		touch := func(kind string, points ...[2]float64) {
			list := []any{}
			for i, p := range points {
				list = append(list, map[string]any{"x": p[0], "y": p[1], "id": i})
			}
			x.do("Input.dispatchTouchEvent", map[string]any{"type": kind, "touchPoints": list})
		}
		was = scale()
		touch("touchStart", [2]float64{600, 400}, [2]float64{700, 400})
		touch("touchMove", [2]float64{580, 400}, [2]float64{720, 400})
		touch("touchMove", [2]float64{550, 400}, [2]float64{750, 400})
		touch("touchEnd")
		if now := scale(); now < was*1.5 || now > was*2.5 {
			t.Errorf("pinching to twice the distance zoomed from %v to %v", was, now)
		}
		x.click(`document.querySelector("#fit")`)
		if now := scale(); now > was {
			t.Errorf("the whole picture at %v", now)
		}
	})

	t.Run("table", func(t *testing.T) {
		x := open(t)
		x.click(`document.querySelector("#t-devices")`)
		x.want(rows, "25")
		column := func(i int) []string {
			var s []string
			x.eval(&s, fmt.Sprintf(`[...document.querySelectorAll("#devices tbody tr")].map(r => r.cells[%d].textContent)`, i))
			return s
		}
		x.shot("table")
		if s := column(0); s[0] != "86c42aee0004f1b8" || s[2] != "Attic plug" {
			t.Errorf("by name: %q", s)
		}
		x.click(`document.querySelectorAll("#devices th button")[5]`)
		if s := column(5); s[0] != "−89 dBm" || s[1] != "−80 dBm" || s[24] != "" {
			t.Errorf("by signal: %q", s)
		}
		x.click(`document.querySelectorAll("#devices th button")[5]`)
		x.want(`document.querySelectorAll("#devices th")[5].getAttribute("aria-sort")`, "descending")
		if s := column(5); s[0] != "−48 dBm" || s[24] != "" {
			t.Errorf("by signal, the best first: %q", s)
		}
		x.click(`document.querySelector("#devices tbody .name")`)
		x.want(`document.querySelector("#details h2").textContent`, column(0)[0])
		x.want(`document.querySelectorAll("#devices tr.chosen").length`, "1")
	})

	t.Run("findings and sources", func(t *testing.T) {
		x := open(t)
		x.want(`document.querySelector("#t-findings").textContent`, fmt.Sprintf("Findings (%d)", len(d.Findings)))
		x.click(`document.querySelector("#t-findings")`)
		x.want(`document.querySelectorAll("#findings article").length`, fmt.Sprint(len(d.Findings)))
		x.shot("findings")
		f := d.Findings[0]
		text := x.text(`document.querySelector("#findings article").innerText`)
		for _, want := range []string{f.Title, f.Rule, f.Detail, f.NextStep} {
			if !strings.Contains(text, render.Clean(want)) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		x.click(`document.querySelector("#findings article .go")`)
		x.want(`document.querySelector("#details h2").textContent`, view.Label(f.Nodes[0]))
		x.click(`document.querySelector("#t-sources")`)
		text = x.text(`document.querySelector("#sources").innerText`)
		for _, want := range []string{"MyHome", "dead00beef00cafe", "leader Kitchen HomePod", "OTBR (http://otbr.local:8081): answered", "threadmap login ha", "connection refused"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	})

	t.Run("export", func(t *testing.T) {
		x := open(t)
		save := func(as string) []byte {
			name, got := x.download(func() { x.eval(nil, `document.querySelector("[data-as=`+as+`]").click()`) })
			if want := "threadmap-2026-11-221402." + as; name != want {
				t.Errorf("saved %q, want %q", name, want)
			}
			return got
		}
		x.click(mark("Hall button")) // what is exported doesn't show what is chosen
		x.key("Escape", 0)
		if got, want := save("csv"), drawn(t, render.CSV, d); !bytes.Equal(got, want) {
			t.Errorf("the page's table:\n%s\nours:\n%s", got, want)
		}
		got := save("svg")
		if bytes.Contains(got, []byte("dim")) || bytes.Contains(got, []byte("tabindex")) || !bytes.Contains(got, []byte(`xmlns="http://www.w3.org/2000/svg"`)) {
			t.Errorf("the SVG has traces of the page: %.300s", got)
		}
		img, err := png.Decode(bytes.NewReader(save("png")))
		if err != nil {
			t.Fatal(err)
		}
		colors := map[[3]uint32]bool{}
		for y := 0; y < img.Bounds().Dy(); y += 3 {
			for i := 0; i < img.Bounds().Dx(); i += 3 {
				r, g, b, _ := img.At(i, y).RGBA()
				colors[[3]uint32{r >> 8, g >> 8, b >> 8}] = true
			}
		}
		if !colors[[3]uint32{0x67, 0x41, 0xd9}] || !colors[[3]uint32{0x1f, 0x9d, 0x76}] { // a border router, a good link
			t.Errorf("the PNG has %d colors and not those of the style", len(colors))
		}
		var m, own any
		if json.Unmarshal(save("json"), &m) != nil || json.Unmarshal(drawn(t, render.JSON, d), &own) != nil || fmt.Sprint(m) != fmt.Sprint(own) {
			t.Error("the JSON is not the document")
		}
	})

	t.Run("phone", func(t *testing.T) {
		x := b.open(t, file, 390, 844)
		for _, step := range []struct{ name, click string }{{"phone-map", "#t-map"}, {"phone-table", "#t-devices"}, {"phone-findings", "#t-findings"}, {"phone-sources", "#t-sources"}, {"phone-filter", "#filters summary"}, {"phone-export", "#export summary"}} {
			x.click(`document.querySelector("` + step.click + `")`)
			x.shot(step.name)
			x.want(`Math.max(document.documentElement.scrollWidth, document.body.scrollWidth, ...[...document.querySelectorAll("section:not([hidden]), .sheet")].filter(e => e.offsetParent).map(e => e.getBoundingClientRect().right)) <= 390`, "true")
		}
		x.key("Escape", 0)
		x.click(`document.querySelector("#t-map")`)
		x.eval(nil, mark("Kitchen HomePod")+`.dispatchEvent(new MouseEvent("click", {bubbles: true}))`)
		x.shot("phone-details")
		x.want(`(() => { const r = document.querySelector("#details").getBoundingClientRect(), m = (`+mark("Kitchen HomePod")+`).getBoundingClientRect(); return r.left >= 0 && r.right <= 390 && r.bottom <= 844 && m.bottom < r.top && m.left > 0 && m.right < 390 })()`, "true")
		x.dark(true)
		x.shot("phone-dark")
	})

	t.Run("dark", func(t *testing.T) {
		x := open(t)
		light := x.text(`getComputedStyle(document.body).backgroundColor`)
		x.dark(true)
		if dark := x.text(`getComputedStyle(document.body).backgroundColor`); dark == light {
			t.Errorf("dark is as bright as light: %s", dark)
		}
		x.click(mark("Desk plug"))
		x.shot("desktop-dark")
	})
}

func abs(x float64) float64 { return max(x, -x) }

// TestPageWhatIf compares what the page says of the loss of each router with
// what topology computes.
func TestPageWhatIf(t *testing.T) {
	b := startChromium(t)
	for name, m := range map[string]*topology.Map{"home": fixture.Home(), "line": fixture.Line(8), "floor": fixture.Floor(3, 14, 20, 260), "loose floor": fixture.Floor(5, 20, 30, 160), "spread": fixture.Spread(2, 1, 3)} {
		x := b.open(t, pageFile(t, &render.Document{Map: m}), 1280, 800)
		lost := map[string][]string{}
		x.eval(&lost, `(() => {
			const out = {};
			for (const el of [...document.querySelectorAll("#picture [data-id]")]) {
				el.dispatchEvent(new MouseEvent("click", { bubbles: true }));
				const button = document.querySelector("#whatif");
				if (!button) continue;
				button.click();
				out[el.dataset.id] = [...document.querySelectorAll("#picture .lost")].map(e => e.dataset.id).sort();
				const said = document.querySelector("#lost");
				if (said && !said.textContent.startsWith(out[el.dataset.id].length ? out[el.dataset.id].length + " device" : "Nobody")) out.wrong = [said.textContent];
			}
			return out;
		})()`)
		if w := lost["wrong"]; w != nil {
			t.Errorf("%s: the words are %q", name, w)
		}
		want := map[string][]string{}
		for _, n := range m.Nodes {
			if n.Role.Routes() && n.State != topology.NodeGhost && n.State != topology.NodeStale {
				want[n.ID] = []string{}
			}
		}
		some := 0
		for _, c := range m.Routing().Cuts() {
			if c.Router == nil {
				continue
			}
			some++
			for _, r := range c.Routers {
				want[c.Router.ID] = append(want[c.Router.ID], r.ID)
				for _, k := range r.Children {
					want[c.Router.ID] = append(want[c.Router.ID], k.ID)
				}
			}
			slices.Sort(want[c.Router.ID])
		}
		if some == 0 && name == "loose floor" {
			t.Error("this home has no cut: it tests nothing")
		}
		if fmt.Sprint(lost) != fmt.Sprint(want) {
			t.Errorf("%s:\npage     %v\ntopology %v", name, lost, want)
		}
	}
}

// TestPageOfHostileNames: whatever a name holds, it is text: nothing runs,
// nothing is added to the page, nothing is loaded.
func TestPageOfHostileNames(t *testing.T) {
	b := startChromium(t)
	d := hostile()
	d.Findings = doctor.Examine(doctor.New(d.Map, d.Scan, nil))
	d.Earlier = []*render.Document{hostile()}
	x := b.open(t, pageFile(t, d), 1280, 860)
	x.want(`document.querySelectorAll("script").length`, "2")
	x.want(`document.querySelectorAll("#picture script, #picture foreignObject, #picture a, #picture image, img, iframe, object, embed, link, base").length`, "0")
	x.want(`document.title === document.querySelector("#sentence").textContent`, "true")
	var labels []string
	x.eval(&labels, `[...document.querySelectorAll("#picture [data-id]")].map(e => e.getAttribute("aria-label")).filter(s => s)`)
	if len(labels) != len(d.Map.Nodes) {
		t.Errorf("%d of %d nodes have a label", len(labels), len(d.Map.Nodes))
	}
	// every node's details open, its name is there letter by letter, and no
	// element is made of it
	var wrong []string
	x.eval(&wrong, `(() => {
		const out = [], known = new Set(["BUTTON", "H2", "H3", "P", "DL", "DT", "DD", "DIV", "UL", "LI", "SPAN", "ARTICLE", "DETAILS", "SUMMARY", "B"]);
		for (const el of document.querySelectorAll("#picture [data-id]")) {
			el.dispatchEvent(new MouseEvent("click", { bubbles: true }));
			const name = document.querySelector("#details h2").textContent;
			if (!el.getAttribute("aria-label").startsWith(name)) out.push(name);
			for (const e of document.querySelectorAll("#details *")) if (!known.has(e.tagName)) out.push(e.tagName);
		}
		return out;
	})()`)
	if len(wrong) > 0 {
		t.Errorf("wrong: %q", wrong)
	}
	x.want(`performance.getEntriesByType("resource").length`, "0")
	for _, tab := range []string{"devices", "findings", "sources"} {
		x.click(`document.querySelector("#t-` + tab + `")`)
		x.shot("hostile-" + tab)
	}
	x.click(`document.querySelector("#t-map")`)
	x.shot("hostile")
	x.size(390, 844)
	x.want(`document.documentElement.scrollWidth <= 390`, "true")
	x.shot("hostile-phone")
	if n := len(x.text(`document.querySelector("#devices tbody").innerHTML`)); n == 0 {
		t.Error("no table")
	}
	// the policy holds: what the page did not bring does not run
	x.eval(nil, `(() => { const s = document.createElement("style"); s.textContent = "h1 { color: rgb(1, 2, 3) }"; document.head.append(s) })()`)
	if x.text(`getComputedStyle(document.querySelector("h1")).color`) == "rgb(1, 2, 3)" {
		t.Error("a foreign style was applied")
	}
	x.want(`(() => { try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); return "taken" } catch { return "refused" } })()`, "refused")
	x.mu.Lock() // these two were ours
	for i, w := range x.wrong {
		if !strings.Contains(w, "style-src") && !strings.Contains(w, "TrustedHTML") {
			t.Errorf("complaint %d: %s", i, w)
		}
	}
	x.wrong = nil
	x.mu.Unlock()
}

// TestPageIsSmall: one file of a home of 50 devices, and nothing in it that is
// fetched.
func TestPageIsSmall(t *testing.T) {
	d := examined(fixture.Spread(7, 8, 7, 7, 8, 7))
	got := drawn(t, render.HTML, d)
	if len(got) > 250_000 {
		t.Errorf("%d bytes for %d nodes", len(got), len(d.Map.Nodes))
	}
	t.Logf("%d bytes for %d nodes", len(got), len(d.Map.Nodes))
	for _, bad := range []string{" src=", " href=", "url(", "@import", "innerHTML", "eval(", " style=", " onclick="} {
		if i := bytes.Index(got, []byte(bad)); i >= 0 {
			t.Errorf("%q in …%s…", bad, got[max(0, i-40):i+40])
		}
	}
}
