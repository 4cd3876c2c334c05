package mesh

import (
	"testing"
	"time"

	"threadmap/diag"
)

// Path costs are those of another algorithm (Floyd and Warshall) over the
// links themselves, and next hops lead there.
func TestPathsOfRandomMeshes(t *testing.T) {
	for seed := range uint64(150) {
		for _, m := range Random(seed, RandomOptions{Children: -1}).Networks {
			v := m.View()
			n := len(m.Nodes)
			const far = 1 << 20
			cost := make([][]int, n)
			for i := range cost {
				cost[i] = make([]int, n)
				for j := range cost[i] {
					if cost[i][j] = far; i == j {
						cost[i][j] = 0
					}
				}
			}
			weight := map[[2]int]int{}
			for _, l := range m.Links {
				c := map[uint8]int{1: 4, 2: 2, 3: 1}[min(l.AToB.LQ, l.BToA.LQ)]
				cost[l.A][l.B], cost[l.B][l.A] = c, c
				weight[[2]int{l.A, l.B}], weight[[2]int{l.B, l.A}] = c, c
			}
			for k := range n {
				for i := range n {
					for j := range n {
						cost[i][j] = min(cost[i][j], cost[i][k]+cost[k][j])
					}
				}
			}
			for i := range n {
				rows := v.Route64(i)
				if len(rows) != v.Routers(i) {
					t.Fatalf("seed %d: %d rows for %d routers", seed, len(rows), v.Routers(i))
				}
				for _, r := range rows {
					j := v.ByRLOC16(m.Nodes[i].Partition, uint16(r.RouterID)<<10)
					want := cost[i][j]
					switch {
					case i == j:
						want = 1
					case want > 15:
						want = 0
					}
					if int(r.Cost) != want || r.Self != (i == j) {
						t.Fatalf("seed %d: router %d to %d: cost %d, want %d", seed, m.Nodes[i].RouterID, r.RouterID, r.Cost, want)
					}
					if i == j || want == 0 {
						if r.NextHop != 63 {
							t.Fatalf("seed %d: next hop %d to nowhere", seed, r.NextHop)
						}
						continue
					}
					hop := v.ByRLOC16(m.Nodes[i].Partition, uint16(r.NextHop)<<10)
					if w, ok := weight[[2]int{i, hop}]; !ok || w+cost[hop][j] != want {
						t.Fatalf("seed %d: router %d to %d: next hop %d is not on a cheapest path", seed, m.Nodes[i].RouterID, r.RouterID, r.NextHop)
					}
				}
			}
		}
	}
}

func TestLineIsOutOfReach(t *testing.T) {
	v := Line(20).Networks[0].View()
	rows := v.Route64(0)
	if rows[15].Cost != 15 || rows[16].Cost != 0 || rows[16].NextHop != 63 {
		t.Errorf("hop 15 costs %d, hop 16 %d", rows[15].Cost, rows[16].Cost)
	}
}

func TestRadio(t *testing.T) {
	for margin, want := range map[uint8]uint8{0: 0, 2: 0, 3: 1, 10: 1, 11: 2, 20: 2, 21: 3, 200: 3} {
		if got := LinkQuality(margin); got != want {
			t.Errorf("margin %d: quality %d, want %d", margin, got, want)
		}
	}
	for lq, want := range [][4]int{{0, 0, 0, 0}, {0, 4, 4, 4}, {0, 4, 2, 2}, {0, 4, 2, 1}} {
		for other, c := range want {
			if got := LinkCost(uint8(lq), uint8(other)); got != c {
				t.Errorf("cost of %d/%d: %d, want %d", lq, other, got, c)
			}
		}
	}
	if d := Hear(-50); d.Margin != 50 || d.LQ != 3 { // as captured
		t.Errorf("%+v", d)
	}
	if d := Hear(-128); d.Margin != 0 || d.LQ != 0 {
		t.Errorf("%+v", d)
	}
	if low, high := Hear(-95).withErrors(), Hear(-75).withErrors(); low.FrameError <= high.FrameError || low.MessageError >= low.FrameError || Hear(-60).withErrors().FrameError != 0 {
		t.Errorf("error rates %v, %v", low.FrameError, high.FrameError)
	}
	for cm := 10; cm < 20000; cm += 10 { // farther is never stronger, a wall or a floor always weaker
		near := rssiAt(cm, 0, 0)
		if rssiAt(cm+10, 0, 0) > near || near > -128 && (rssiAt(cm, 1, 0) >= near || rssiAt(cm, 0, 1) >= near) {
			t.Fatalf("at %d cm: %d dBm", cm, near)
		}
	}
	for v := range 5000 {
		if r := isqrt(v); r*r > v || (r+1)*(r+1) <= v {
			t.Fatalf("isqrt(%d) = %d", v, r)
		}
	}
	for _, c := range [][2]int{{1, 0}, {2, 100}, {3, 150}, {1024, 1000}} {
		if got := log2x100(c[0]); got != c[1] {
			t.Errorf("log2x100(%d) = %d, want %d", c[0], got, c[1])
		}
	}
}

func TestTimeoutExponent(t *testing.T) {
	for seconds, want := range map[int]uint8{0: 4, 1: 4, 2: 5, 240: 12, 256: 12, 257: 13, 1 << 30: 31} {
		c := ChildRow{Timeout: time.Duration(seconds) * time.Second}
		if got := c.TimeoutExponent(); got != want {
			t.Errorf("%d s: exponent %d, want %d", seconds, got, want)
		}
	}
}

func TestRoles(t *testing.T) {
	m := HomeOf50(1).Networks[0]
	for name, want := range map[string]diag.Role{
		"Kitchen HomePod": diag.RoleLeader, "Desk plug": diag.RoleRouter, "Reading lamp": diag.RoleREED, "Office air monitor": diag.RoleEndDevice, "Hall button": diag.RoleSleepyEndDevice,
	} {
		if got := m.Role(m.FindName(name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	b := m.FindName("Hall button")
	if m.View().Parent(b) != m.FindName("Kitchen HomePod") {
		t.Error("the button is not where it hangs")
	}
	if row, ok := m.View().ParentRow(b); !ok || row.Heard.LQ != 1 {
		t.Errorf("the button's link %+v", row)
	}
}
