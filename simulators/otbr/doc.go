// Package otbr simulates the REST interface (port 8081) of OpenThread's border
// router, over a mesh of package mesh, as one of its border routers sees it.
//
// It speaks three generations: 1 (builds until 2025-09: PascalCase, numbers,
// /diagnostics), 2 (2025-09 to 2026-07: camelCase, JSON:API, actions) and 3
// (since 2026-07: the same with other keys and "0x…" strings). Generations 1
// and 3 are written from captured answers, which stand in testdata and are
// compared with. Generation 2 is written from a description only and unproved,
// and so is paging, which no capture shows.
//
// Its documents are its own: it shares no types with the product, so a misspelt
// key can't cancel out. What real border routers do wrong is simulated too
// (see [Options]), and so is what a broken or hostile one could do
// ([Misbehaviour]).
//
// The reader is above simulators/mesh and below simulators/world. The handler
// owns no socket, no goroutine and no timer: actions get their state when
// somebody looks at them.
package otbr
