package page_test

import (
	"fmt"
	"testing"

	"threadmap/render"
	"threadmap/render/internal/fixture"
	"threadmap/topology"
)

// strangeRooms are names of rooms that try to break out of the page.
var strangeRooms = []string{"\"><b data-room=x>", "Bad & \u202eRTL\u202c 'o'", "غرفة النوم", "客厅"}

// homeWithRooms is a home of today, and one of yesterday when nobody told its rooms.
func homeWithRooms() *render.Document {
	floor := func() *topology.Map { return fixture.Floor(5, 16, 34, 350) }
	now, before := floor(), floor()
	strange := map[string]string{"Hall": strangeRooms[0], "Office": strangeRooms[1], "Bathroom": strangeRooms[2], "Living room": strangeRooms[3]}
	for _, n := range before.Nodes {
		n.Room = ""
	}
	for _, n := range now.Nodes {
		if s, ok := strange[n.Room]; ok {
			n.Room = s
		}
	}
	d, e := examined(now), examined(before)
	e.Scan.From, e.Scan.To = e.Scan.From.AddDate(0, 0, -1), e.Scan.To.AddDate(0, 0, -1)
	d.Earlier = []*render.Document{e}
	return d
}

// TestAreasOfRooms: the page's areas follow its filters and its slider, in light and
// in dark.
func TestAreasOfRooms(t *testing.T) {
	b := startChromium(t)
	x := b.open(t, pageFile(t, homeWithRooms()), 1280, 860)
	const (
		areas = `[...document.querySelectorAll("#picture [data-room]")]`
		alive = areas + `.filter(e => !e.classList.contains("dim"))`
		shown = `Number(getComputedStyle(%s).opacity)`
	)
	set := func(value string) {
		x.eval(nil, fmt.Sprintf(`(() => { const s = document.querySelector("#f-room"); s.value = %q; if (s.value !== %q) throw new Error("no such choice"); s.dispatchEvent(new Event("change")) })()`, value, value))
	}
	x.want(areas+`.length`, "6")
	x.want(alive+`.length`, "6")
	x.want(`document.querySelectorAll("#picture b").length`, "0")
	x.shot("rooms")
	x.dark(true)
	x.want(areas+`.every(e => e.getBBox().width > 10)`, "true")
	x.shot("rooms-dark")
	x.dark(false)
	for _, room := range []string{"Kitchen", "Bedroom", strangeRooms[0], "Bad & RTL 'o'", strangeRooms[2], strangeRooms[3]} { // as cleaned
		set("=" + room)
		x.want(alive+`.map(e => e.dataset.room).join("|")`, room)
		x.want(`document.querySelectorAll("#picture .asked").length`, "1")
		// the names in it stay, too, and nobody else's
		x.want(`[...document.querySelectorAll("#picture .areas text")].filter(e => !e.classList.contains("dim")).every(e => { let a = e; while (a.tagName === "text") a = a.previousElementSibling; return a.dataset.room === `+fmt.Sprintf("%q", room)+` })`, "true")
		x.want(`document.querySelectorAll("#picture .areas text:not(.dim)").length > 0`, "true")
	}
	set("=Kitchen")
	x.eval(nil, `Promise.all(document.getAnimations().map(a => a.finished))`)
	x.want(fmt.Sprintf(shown, alive+`[0]`)+` > 0.17`, "true")
	x.want(fmt.Sprintf(shown, areas+`.find(e => e.classList.contains("dim"))`)+` < 0.06`, "true")
	x.shot("kitchen")
	set("any")
	x.want(alive+`.length`, "6")
	x.want(`document.querySelectorAll("#picture .asked").length`, "0")
	// a device and what it has to do with
	x.click(mark("Kitchen sensor 25"))
	x.want(alive+`.map(e => e.dataset.room).join("|")`, "Kitchen")
	x.key("Escape", 0)
	// yesterday there were none
	x.click(`document.querySelector("#older")`)
	x.want(areas+`.length`, "0")
	x.click(`document.querySelector("#newer")`)
	x.want(areas+`.length`, "6")
	x.size(390, 800)
	x.shot("rooms-phone")
}
