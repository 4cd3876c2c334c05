package page_test

import (
	"testing"

	"threadmap/render"
	"threadmap/render/internal/fixture"
)

// TestPageOfManyNodes: a thousand nodes are shown, searched and followed; how
// long the browser is busy with it is told, not judged.
func TestPageOfManyNodes(t *testing.T) {
	b := startChromium(t)
	x := b.open(t, pageFile(t, &render.Document{Map: fixture.Big(1, 32, 30)}), 1280, 860)
	x.want(counted, "992 nodes")
	x.want(rows, "992")
	t.Logf("ready after %s ms", x.text(`Math.round(performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart)`))
	busy := x.text(`(() => { const t = performance.now(); for (const el of [...document.querySelectorAll("#picture [data-id]")].slice(0, 20)) el.dispatchEvent(new MouseEvent("click", { bubbles: true })); return Math.round((performance.now() - t) / 20) })()`)
	t.Logf("choosing a node takes %s ms", busy)
	x.want(`document.querySelectorAll("#picture .chosen").length`, "1")
	x.eval(nil, `(() => { const s = document.querySelector("#search"); s.value = "kitchen"; s.dispatchEvent(new Event("input")) })()`)
	if x.text(rows) == "992" || x.text(rows) == "0" {
		t.Errorf("a search leaves %s rows", x.text(rows))
	}
	x.shot("many")
}
