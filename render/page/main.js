// What the user does: which scan, which node, which filter, which keys.

const byId = (id) => document.getElementById(id);
const homes = scans.map(() => null); // indexed when first looked at
let now = scans.length - 1;
let h = null;
let chosen = null; // { node, way, gone } or { link }; null: nothing

const filters = {
  network: (n, v) => (n.d.network || "") === v,
  room: (n, v) => (n.d.room || "") === v,
  role: (n, v) => ({ border: n.d.border_router === true, router: n.d.role === "router" || n.d.role === "leader", sleepy: n.d.role === "sleepy-end-device", awake: n.d.role === "end-device" || n.d.role === "reed", other: n.d.role === "unknown" || n.d.role === "detached" }[v]),
  link: (n, v) => n.links.some((l) => linkFits(l, v)),
  hops: (n, v) => v === "none" ? n.d.paths !== null && hops(n) === null : v === "4" ? hops(n) >= 4 : hops(n) === Number(v),
  state: (n, v) => n.d.state === v,
};

function linkFits(l, v) { return v === "bad" ? ["weak", "one-way", "dying"].includes(l.word) : v === "unknown" ? l.word === "" : l.word === v; }

// fill offers what the scan holds; a choice that it still has is kept.
function fill(name, options) {
  const select = byId("f-" + name), had = select.value;
  select.replaceChildren(el("option", { value: "any" }, "any"), ...options.map(([value, text]) => el("option", { value: "=" + value }, text)));
  select.value = [...select.options].some((o) => o.value === had) ? had : "any";
}

function fillFilters() {
  const nodes = [...h.nodes.values()], uniq = (list) => [...new Set(list)].sort(collator.compare);
  fill("network", [...h.doc.networks.map((n) => [n.id, n.name || n.id]), ...nodes.some((n) => !n.network) ? [["", "none, or not known"]] : []]);
  fill("room", uniq(nodes.map((n) => n.d.room || "")).map((r) => [r, r || "not known"]));
  fill("role", [["border", "border routers"], ["router", "routers"], ["awake", "listen all the time"], ["sleepy", "sleepy"], ["other", "other"]]);
  fill("link", [["good", "good"], ["fair", "fair"], ["bad", "weak, one-way, dying"], ["stale", "old news"], ["unknown", "quality not known"]]);
  fill("hops", [["0", "0 (border routers)"], ["1", "1"], ["2", "2"], ["3", "3"], ["4", "4 and more"], ["none", "no way known"]]);
  fill("state", uniq(nodes.map((n) => n.d.state)).map((s) => [s, s]));
}

// matches are the nodes that search and filters let through; null: all, since
// nothing is asked for.
function matches() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter((w) => w);
  const active = Object.keys(filters).map((k) => [k, byId("f-" + k).value]).filter(([, v]) => v !== "any");
  byId("filters").classList.toggle("on", active.length > 0);
  if (!words.length && !active.length) return null;
  return new Set([...h.nodes.values()].filter((n) => words.every((w) => n.text.includes(w)) && active.every(([k, v]) => filters[k](n, v.slice(1)))));
}

// refresh shows what is chosen, and else what search and filters leave.
function refresh() {
  const kept = matches(), quality = byId("f-link").value;
  const all = [...h.nodes.values()], list = kept ? all.filter((n) => kept.has(n)) : all;
  byId("count").textContent = kept ? kept.size + " of " + count(all.length, "node") : count(all.length, "node");
  showTable(h, list, chosen && chosen.node);
  const keep = new Set(), links = new Set();
  if (chosen && chosen.gone) {
    const r = whatIf(h, chosen.node), lost = new Set(r ? [...r.routers, ...r.children] : []);
    for (const n of [chosen.node, ...chosen.node.children]) keep.add(n);
    light(keep, new Set(chosen.node.links), { lost, chosen: chosen.node });
  } else if (chosen && chosen.node) {
    const n = chosen.node, lit = way(n, chosen.way || 0);
    for (const l of n.links) { links.add(l); keep.add(far(l, n)); }
    for (const l of lit.links) { keep.add(l.a); keep.add(l.b); }
    for (const c of n.children) keep.add(c);
    keep.add(n);
    light(keep, links, { lit: lit.links, chosen: n });
  } else if (chosen) {
    light(new Set([chosen.link.a, chosen.link.b]), new Set([chosen.link]), { lit: new Set([chosen.link]) });
  } else if (kept) {
    for (const l of h.links) if (kept.has(l.a) && kept.has(l.b) && (quality === "any" || linkFits(l, quality.slice(1)))) links.add(l);
    const asked = byId("f-room").value;
    light(kept, links, { room: asked === "any" ? null : asked.slice(1) });
  } else {
    light(null, links);
  }
}

// way is a way of a node to a border router, as links.
function way(n, i) {
  const p = n.d.paths && n.d.paths[i], links = new Set();
  for (let k = 1; p && k < p.hops.length; k++) {
    const a = h.nodes.get(p.hops[k - 1]), b = h.nodes.get(p.hops[k]);
    const l = a && (a.up && far(a.up, a) === b ? a.up : a.links.find((x) => far(x, a) === b && x.d.kind === "router"));
    if (l) links.add(l);
  }
  return { links };
}

function choose(what, quiet) {
  chosen = what;
  const box = byId("details");
  box.hidden = !what;
  if (what) {
    const parts = what.gone ? goneDetails(h, what.node, whatIf(h, what.node)) : what.link ? linkDetails(h, what.link) : nodeDetails(h, what.node, what.way || 0);
    box.replaceChildren(...parts.filter((p) => p));
    box.scrollTop = 0;
  }
  resize();
  refresh();
  if (what && what.node) reveal(what.node);
  if (what && !quiet && !picture.contains(document.activeElement)) box.querySelector("h2").focus({ preventScroll: true });
}

// show goes to a scan. What was chosen stays so where it is there again.
function show(i) {
  now = Math.min(Math.max(i, 0), scans.length - 1);
  const before = chosen, first = !h;
  h = homes[now] = homes[now] || home(scans[now]);
  byId("sentence").textContent = h.scan.sentence;
  byId("caption").textContent = h.scan.caption;
  document.title = h.scan.sentence;
  byId("when").value = String(now);
  byId("date").textContent = when() + " (" + (now + 1) + " of " + scans.length + ")";
  byId("older").disabled = now === 0;
  byId("newer").disabled = now === scans.length - 1;
  showPicture(now, h);
  if (room.width) look();
  fillFilters();
  showFindings(h);
  showSources(h);
  const again = before && before.node && h.nodes.get(before.node.id);
  choose(again ? { node: again } : null, true);
  if (first) fit(false);
}

function when() { return Number.isNaN(h.at) ? "time not known" : new Date(h.at).toLocaleString(); }

const tabs = ["map", "devices", "findings", "sources"];
function openTab(name) {
  for (const t of tabs) {
    byId(t).hidden = t !== name;
    byId("t-" + t).setAttribute("aria-selected", String(t === name));
    byId("t-" + t).tabIndex = t === name ? 0 : -1;
  }
  resize();
  if (name === "map" && chosen && chosen.node) reveal(chosen.node);
}

async function save(as) {
  const name = "threadmap" + (Number.isNaN(h.at) ? "" : "-" + new Date(h.at).toISOString().slice(0, 16).replace(/[:T]/g, "")) + "." + as;
  const kept = matches(), nodes = [...h.nodes.values()].filter((n) => !kept || kept.has(n));
  const make = {
    svg: () => new Blob([svgText(now)], { type: "image/svg+xml" }), png: () => png(now),
    csv: () => new Blob([csv(nodes)], { type: "text/csv" }), json: () => new Blob([JSON.stringify(h.doc, null, 1) + "\n"], { type: "application/json" }),
  };
  try {
    const url = URL.createObjectURL(await make[as]());
    el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  } catch (err) {
    byId("count").textContent = "Not saved: " + err.message;
  }
}

function closeSheets(but) { for (const d of document.querySelectorAll("#tools details[open]")) if (d !== but) d.open = false; }

byId("tools").addEventListener("submit", (e) => {
  e.preventDefault();
  const kept = matches(), first = kept && sorted([...kept])[0];
  if (first) choose({ node: first });
});
byId("search").addEventListener("input", () => { if (chosen) choose(null); else refresh(); });
for (const k of Object.keys(filters)) byId("f-" + k).addEventListener("change", () => { if (chosen) choose(null); else refresh(); });
byId("clear").addEventListener("click", () => {
  byId("search").value = "";
  for (const k of Object.keys(filters)) byId("f-" + k).value = "any";
  choose(null);
});
for (const b of document.querySelectorAll("[data-as]")) b.addEventListener("click", () => { closeSheets(); save(b.dataset.as); });
document.addEventListener("pointerdown", (e) => closeSheets(e.target.closest("#tools details")));
byId("in").addEventListener("click", () => zoom(1.4));
byId("out").addEventListener("click", () => zoom(1 / 1.4));
byId("fit").addEventListener("click", () => fit(true));
byId("older").addEventListener("click", () => show(now - 1));
byId("newer").addEventListener("click", () => show(now + 1));
byId("when").addEventListener("input", (e) => show(Number(e.target.value)));
for (const t of tabs) byId("t-" + t).addEventListener("click", () => openTab(t));
picture.addEventListener("click", (e) => {
  const node = nodeAt(e.target), link = !node && linkAt(e.target);
  choose(node ? { node } : link ? { link } : null);
});

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const at = document.activeElement, typing = at && (at.tagName === "INPUT" || at.tagName === "SELECT");
  if (e.key === "Escape") {
    const open = document.querySelector("#tools details[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    else if (chosen) { const mark = chosen.node && marks.get(chosen.node); choose(null); (mark && !byId("map").hidden ? mark : picture).focus(); }
    else if (byId("search").value) { byId("search").value = ""; refresh(); }
    return;
  }
  if (typing) return;
  if (e.key === "/") {
    e.preventDefault();
    byId("search").focus();
    byId("search").select();
  } else if (at && at.getAttribute("role") === "tab" && (e.key === "ArrowLeft" || e.key === "ArrowRight")) {
    const next = tabs[(tabs.indexOf(at.id.slice(2)) + arrows[e.key][0] + tabs.length) % tabs.length];
    openTab(next);
    byId("t-" + next).focus();
  } else if (picture.contains(at)) {
    onPictureKey(e, at);
  }
});

function onPictureKey(e, at) {
  const n = at !== picture && nodeAt(at), from = n || chosen && chosen.node;
  if (arrows[e.key]) {
    const [dx, dy] = arrows[e.key];
    if (e.shiftKey) {
      pan(dx * 60, dy * 60);
    } else {
      const next = from ? neighbor(from, dx, dy) : [...marks.keys()][0];
      if (next) { choose({ node: next }); marks.get(next).focus({ preventScroll: true }); }
    }
  } else if (e.key === "+" || e.key === "=") zoom(1.4);
  else if (e.key === "-") zoom(1 / 1.4);
  else if (e.key === "0") fit(true);
  else if (n && (e.key === "Enter" || e.key === " ")) choose({ node: n });
  else return;
  e.preventDefault();
}

new ResizeObserver(resize).observe(picture);
byId("time").hidden = scans.length < 2;
byId("when").max = String(scans.length - 1);
show(now);
