// What stands in words: the details of a node or a link, the table, the
// findings, the sources.

// el makes an element. Strings become text, never markup.
function el(tag, props, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props || {})) {
    if (k === "class") e.className = v;
    else if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== ""));
  return e;
}

function go(n, cls = "go") { return el("button", { class: cls, type: "button", dir: "auto", onclick: () => choose({ node: n }) }, n.label); }

function facts(...rows) {
  const dl = el("dl");
  for (const [what, value] of rows) {
    const v = (Array.isArray(value) ? value : [value]).filter((x) => x !== null && x !== undefined && x !== "" && x !== false);
    if (v.length) dl.append(el("dt", null, what), el("dd", { dir: "auto" }, ...v));
  }
  return dl;
}

function lineByLine(list) { return list.map((s) => el("div", { dir: "auto" }, s)); }

function title(text) {
  return [el("button", { class: "close", type: "button", "aria-label": "Close", onclick: () => choose(null) }, "✕"), el("h2", { tabindex: "-1", dir: "auto" }, text)];
}

function nodeDetails(h, n, lit) {
  const d = n.d, out = [...title(n.label)];
  const where = [n.role, d.room, n.network ? n.network.name || n.network.id : d.transport === "unknown" ? "" : d.transport].filter((s) => s).join(" · ");
  out.push(el("p", { class: "soft", dir: "auto" }, where || "Not much is known."));
  if (d.state !== "ok") out.push(el("p", { class: "bad", dir: "auto" }, d.state === "unknown" ? "State not known" : d.state, d.why ? ": " + d.why : ""));
  for (const f of n.findings) out.push(findingCard(h, f, false));
  const icd = d.icd && [d.icd.mode && { lit: "long intervals (LIT)", sit: "short intervals (SIT)" }[d.icd.mode], d.icd.idle_s !== null && "idle " + span(d.icd.idle_s), d.icd.active_ms !== null && "active " + d.icd.active_ms + " ms"].filter((s) => s).join(", ");
  out.push(facts(
    ["Parent", n.parent ? [go(n.parent), d.parent_confidence ? " (" + d.parent_confidence + ")" : ""] : ""],
    ["Names", lineByLine(d.names.map((x) => x.name + " (" + sourceName(x.source) + ")"))],
    ["Made by", [d.vendor, d.product, d.firmware].filter((s) => s).join(", ")],
    ["Thread", d.thread_version], ["Sleep", icd], ["Battery", d.battery_percent === null ? "" : d.battery_percent + " %"],
    ["Last heard", d.last_heard && ago(d.last_heard, h)],
    ["Partition", d.partition === null ? "" : String(d.partition)],
    ["RLOC16", d.rloc16], ["Ext address", d.ext_addr],
    ["Matter", lineByLine(d.matter.map((m) => "node " + m.node_id + (m.fabric ? ", fabric " + m.fabric : "")))],
    ["Agent id", d.border_agent_id], ["Host", lineByLine(d.hosts)], ["Services", lineByLine(d.instances)], ["Addresses", lineByLine(d.addresses)]));
  if (d.paths) {
    out.push(el("h3", null, "Way to the border routers"));
    if (!d.paths.length) out.push(el("p", null, "None is known."));
    out.push(el("ul", null, d.paths.map((p, i) => {
      const steps = p.hops.map((id) => h.nodes.get(id)).filter((x) => x);
      const extra = [count(p.hops.length - 1, "hop"), p.cost !== null && "cost " + p.cost, p.worst_lq !== null && "worst link " + p.worst_lq + " of 3", !p.confirmed && "not confirmed"].filter((s) => s).join(", ");
      const b = el("button", { class: "go", type: "button", dir: "auto", "aria-pressed": String(i === lit), onclick: () => choose({ node: n, way: i }) }, steps.map((x) => x.label).join(" → "));
      return el("li", null, b, el("div", { class: "soft" }, extra + (i === lit ? " · lit" : "")));
    })));
  }
  if (forwards(n)) {
    out.push(el("h3", null, "What if it goes?"), el("button", { type: "button", id: "whatif", onclick: () => choose({ node: n, gone: true }) }, "Show who loses its way"));
  }
  const links = n.links.filter((l) => l !== n.up && l.d.kind === "router");
  if (n.up) links.unshift(n.up);
  if (links.length) {
    out.push(el("h3", null, count(links.length, "link")));
    out.push(el("ul", null, links.map((l) => {
      const [hears, heard] = ways(l, n);
      return el("li", null, go(far(l, n)), " ", el("span", { class: l.word || "soft" }, l.word || "quality not known"), " ",
        el("button", { class: "go soft", type: "button", onclick: () => choose({ link: l }) }, "it hears: " + said(hears) + "; is heard: " + said(heard)));
    })));
  }
  if (n.children.length) {
    out.push(el("h3", null, count(n.children.length, "device") + " on it"));
    out.push(el("ul", null, n.children.map((c) => el("li", null, go(c), " ", el("span", { class: c.up && c.up.word || "soft" }, c.up && c.up.word || "")))));
  }
  out.push(conflicts(h, d.conflicts), evidence(h, d.evidence));
  return out;
}

function linkDetails(h, l) {
  const d = l.d;
  return [...title(l.a.label + " – " + l.b.label),
    el("p", { class: "soft" }, d.kind === "child" ? "A device and its parent" : "Two routers"),
    facts(["State", el("span", { class: l.word || "soft" }, [l.word || "quality not known", d.state !== "ok" && d.state !== l.word && d.state].filter((s) => s).join(", "))], ["Sure", d.confidence], ["Age", d.age_s === null ? "" : "heard " + span(d.age_s) + " before it was read"]),
    el("h3", null, "What each end hears"),
    facts([go(l.b), said(d.a_to_b)], [go(l.a), said(d.b_to_a)]),
    evidence(h, d.evidence)];
}

function goneDetails(h, n, r) {
  const out = [...title("Without " + n.label)];
  if (!r) return [...out, el("p", null, "No border router is known, so there is no telling who would lose its way.")];
  const lost = [...r.routers, ...r.children];
  out.push(el("p", { id: "lost" }, lost.length ? count(lost.length, "device") + " would lose every way to a border router." : "Nobody else would lose the way to a border router."));
  if (lost.length) out.push(el("ul", null, lost.map((x) => el("li", null, go(x)))));
  if (r.own.length) out.push(el("h3", null, "On it now"), el("p", null, count(r.own.length, "device") + " would look for another parent; whether they hear one is not known."), el("ul", null, r.own.map((x) => el("li", null, go(x)))));
  out.push(el("p", null, el("button", { type: "button", onclick: () => choose({ node: n }) }, "Back to " + n.label)));
  return out;
}

function conflicts(h, list) {
  return list.length ? [el("h3", null, "Statements that disagree"), ...list.map((c) => el("div", null, el("b", null, c.about), el("ul", null, c.claims.map((x, i) =>
    el("li", { dir: "auto" }, labelOf(h, x.value) + (i ? "" : " (believed)"), el("div", { class: "soft" }, witness(h, x.evidence)))))))].reduce((box, x) => (box.append(x), box), el("div")) : "";
}

// labelOf names a node by its id; what is no node's id stays as it is.
function labelOf(h, id) {
  const n = h.nodes.get(id);
  return n ? n.label : String(id);
}

function witness(h, e) {
  return [sourceName(e.source) + (e.via ? " (" + e.via + ")" : ""), e.by && "said by " + labelOf(h, e.by), e.field, ago(e.at, h), e.cached && "kept by it"].filter((s) => s).join(", ");
}

function evidence(h, list) {
  if (!list.length) return "";
  return el("details", { class: "said" }, el("summary", null, "Who says so: " + count(list.length, "statement")), el("ul", null, list.map((e) => el("li", { class: "soft", dir: "auto" }, witness(h, e)))));
}

function findingCard(h, f, full) {
  const nodes = f.nodes.map((id) => h.nodes.get(id)).filter((n) => n);
  return el("article", { class: f.severity }, el("h2", { dir: "auto" }, f.title),
    el("p", { class: "soft" }, f.severity + ", " + f.confidence + " confidence, rule " + f.rule),
    full ? el("p", { dir: "auto" }, f.detail) : "", f.next_step ? el("p", { dir: "auto" }, "Next: " + f.next_step) : "",
    full && nodes.length ? el("p", null, nodes.flatMap((n, i) => i ? [", ", go(n)] : [go(n)])) : "", full ? evidence(h, f.evidence) : "");
}

function showFindings(h) {
  const box = document.getElementById("findings"), found = h.doc.findings;
  box.replaceChildren(...found === null ? [el("p", null, "Nobody looked for trouble.")] : found.length ? found.map((f) => findingCard(h, f, true)) : [el("p", null, "Nothing was found.")]);
  document.getElementById("t-findings").textContent = found && found.length ? "Findings (" + found.length + ")" : "Findings";
}

function showSources(h) {
  const d = h.doc, out = [];
  out.push(el("h2", null, "Networks"));
  for (const n of d.networks) {
    out.push(el("article", null, el("h2", { dir: "auto" }, n.name || n.id), facts(["Channel", n.channel === null ? "" : String(n.channel)], ["PAN id", n.pan_id], ["Ext PAN id", n.ext_pan_id], ["Mesh-local", n.mesh_local_prefix], ["Prefixes", lineByLine(n.omr_prefixes)],
      ["Partitions", lineByLine(n.partitions.filter((p) => p.id !== null).map((p) => p.id + (p.leader ? ", leader " + labelOf(h, p.leader) : "")))]), conflicts(h, n.conflicts), evidence(h, n.evidence)));
  }
  out.push(el("h2", null, "Who was asked"));
  if (d.complete === false) out.push(el("p", { class: "bad" }, "Incomplete: not everybody who was asked answered."));
  out.push(el("ul", null, d.sources.map((s) => el("li", { dir: "auto" }, el("b", null, sourceName(s.name)), (s.via ? " (" + s.via + ")" : "") + ": " + s.state, s.hint ? el("div", { class: "soft" }, s.hint) : ""))));
  if (d.problems.length) out.push(el("h2", null, "What failed"), el("ul", null, d.problems.map((p) => el("li", { dir: "auto" }, el("b", null, sourceName(p.source)), " " + [p.target, p.stage, p.error].filter((s) => s).join(": "), p.hint ? el("div", { class: "soft" }, p.hint) : ""))));
  document.getElementById("sources").replaceChildren(...out);
}

// The table. A column: its heading, what it sorts by, what a cell shows where
// that is something else.
const columns = [
  ["Name", (n) => n.label, (n) => go(n, "name")],
  ["Role", (n) => n.role],
  ["Parent", (n) => n.parent ? n.parent.label : ""],
  ["Room", (n) => n.d.room || ""],
  ["Link", (n) => n.up ? ["one-way", "dying", "dead", "stale", "weak", "fair", "good"].indexOf(n.up.word) : -1, (n) => n.up ? el("span", { class: n.up.word || "soft" }, n.up.word || "not known") : ""],
  ["Signal", (n) => n.up && rssi(n.up) !== null ? rssi(n.up) : "", (n) => n.up && rssi(n.up) !== null ? dBm(rssi(n.up)) : ""],
  ["Hops", (n) => hops(n) === null ? "" : hops(n), (n) => hops(n) === null ? "" : String(hops(n))],
  ["State", (n) => n.d.state],
  ["Heard", (n) => n.d.last_heard ? -Date.parse(n.d.last_heard) : "", (n, h) => ago(n.d.last_heard, h)],
  ["Network", (n) => n.network ? n.network.name || n.network.id : ""],
  ["Address", (n) => n.d.ext_addr || ""],
];
const order = { column: 0, down: false };
const collator = new Intl.Collator(undefined, { numeric: true });
const mostRows = 2000; // what a browser sets in a moment

// sorted puts unknown last, whichever way one sorts.
function sorted(nodes) {
  const by = columns[order.column][1], sign = order.down ? -1 : 1;
  return nodes.map((n) => [by(n), n]).sort(([a, x], [b, y]) => {
    if (a === "" || b === "") return a === b ? collator.compare(x.label, y.label) : a === "" ? 1 : -1;
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b)) || collator.compare(x.label, y.label);
  }).map(([, n]) => n);
}

function showTable(h, nodes, chosen) {
  const head = document.querySelector("#devices thead tr"), focused = [...head.querySelectorAll("button")].indexOf(document.activeElement);
  head.replaceChildren(...columns.map(([name], i) => el("th", { scope: "col", "aria-sort": i !== order.column ? "none" : order.down ? "descending" : "ascending" },
    el("button", { type: "button", onclick: () => { order.down = i === order.column && !order.down; order.column = i; refresh(); } }, name))));
  if (focused >= 0) head.querySelectorAll("button")[focused].focus();
  document.querySelector("#devices tbody").replaceChildren(...sorted(nodes).slice(0, mostRows).map((n) =>
    el("tr", n === chosen ? { class: "chosen" } : null, columns.map(([, value, show]) => el("td", { dir: "auto" }, show ? show(n, h) : value(n))))));
  const more = document.getElementById("more");
  more.hidden = nodes.length <= mostRows;
  more.textContent = "… and " + (nodes.length - mostRows) + " more: search or filter to see them.";
}
