// The home as data. Every scan in this page is a map document of threadmap
// (format "threadmap-map") with the words that the drawing uses for its nodes
// and links beside it. What comes from there is text and stays text: it is put
// on the page by textContent only.

const scans = JSON.parse(document.getElementById("data").textContent);

// A home indexes one scan. Ids may be any text, so they are keys of Maps.
function home(scan) {
  const doc = scan.map, nodes = new Map(), networks = new Map();
  for (const n of doc.networks) networks.set(n.id, n);
  doc.nodes.forEach((d, i) => nodes.set(d.id, {
    id: d.id, d, label: scan.nodes[i][0], role: scan.nodes[i][1], links: [], children: [], findings: [], up: null, parent: null, network: networks.get(d.network) || null,
  }));
  const links = [];
  doc.links.forEach((d, i) => {
    const a = nodes.get(d.a), b = nodes.get(d.b);
    if (!a || !b) return;
    const l = { d, a, b, word: scan.links[i] };
    links.push(l);
    a.links.push(l);
    b.links.push(l);
    if (d.kind === "child" && a.d.parent === b.id) a.up = a.up || l;
    else if (d.kind === "child" && b.d.parent === a.id) b.up = b.up || l;
  });
  for (const n of nodes.values()) {
    n.parent = nodes.get(n.d.parent) || null;
    if (n.parent) n.parent.children.push(n);
    n.text = haystack(n);
  }
  for (const f of doc.findings || []) for (const id of f.nodes) if (nodes.has(id)) nodes.get(id).findings.push(f);
  return { scan, doc, nodes, links, networks, at: Date.parse(doc.scanned.to || "") };
}

function haystack(n) {
  const d = n.d;
  return [n.label, n.role, d.name, d.room, d.vendor, d.product, d.ext_addr, d.rloc16, d.state, d.role, d.border_agent_id, d.id, n.network && n.network.name,
    ...d.names.map((x) => x.name), ...d.addresses, ...d.hosts, ...d.instances, ...d.matter.map((m) => m.node_id)].filter((s) => s).join("\n").toLowerCase();
}

function far(l, n) { return l.a === n ? l.b : l.a; }

// ways gives what n hears of the far end, and what the far end hears of n.
function ways(l, n) { return l.a === n ? [l.d.b_to_a, l.d.a_to_b] : [l.d.a_to_b, l.d.b_to_a]; }

function rssi(l) {
  const s = [l.d.a_to_b.rssi, l.d.b_to_a.rssi].filter((v) => v !== null);
  return s.length ? Math.min(...s) : null;
}

// hops is the length of the cheapest way to a border router; null: none known.
function hops(n) { return n.d.paths && n.d.paths.length ? n.d.paths[0].hops.length - 1 : null; }

// forwards tells whether ways may lead over n, by the rule of threadmap itself:
// a router that is neither a ghost nor known from a cache alone.
function forwards(n) { return (n.d.role === "router" || n.d.role === "leader") && n.d.state !== "ghost" && n.d.state !== "stale"; }

// reached are the routers with a way to any border router while one node, skip,
// is missing. Border routers count as joined by the LAN. Only links in state ok
// carry.
function reached(h, skip) {
  const found = new Set(), open = [];
  for (const n of h.nodes.values()) if (n !== skip && n.d.border_router === true && forwards(n)) { found.add(n); open.push(n); }
  while (open.length) {
    const n = open.pop();
    for (const l of n.links) {
      const o = far(l, n);
      if (l.d.kind !== "router" || l.d.state !== "ok" || o === skip || found.has(o) || !forwards(o)) continue;
      found.add(o);
      open.push(o);
    }
  }
  return found;
}

// whatIf says who loses every way to the border routers when a router goes:
// other routers, and what hangs on those. Its own children are told apart: they
// look for another parent, and whether they hear one is not known. It is null
// where no border router is known: then there is no telling.
function whatIf(h, n) {
  const now = reached(h, null);
  if (!now.size) return null;
  const then = reached(h, n), routers = [], children = [];
  for (const o of now) if (o !== n && !then.has(o)) { routers.push(o); children.push(...o.children); }
  return { routers, children, own: n.children };
}

// ago says how long before the scan a time was, in one unit.
function ago(time, h) {
  const t = Date.parse(time || "");
  if (Number.isNaN(t) || Number.isNaN(h.at)) return "";
  return span((h.at - t) / 1000) + " ago";
}

function span(s) {
  if (s < 1) return "a moment";
  if (s < 120) return Math.floor(s) + " s";
  if (s < 7200) return Math.floor(s / 60) + " min";
  if (s < 172800) return Math.floor(s / 3600) + " h";
  return Math.floor(s / 86400) + " days";
}

function dBm(v) { return String(v).replace("-", "−") + " dBm"; }

function count(n, what) { return n + " " + what + (n === 1 ? "" : "s"); }

function sourceName(s) { return names.get(s) || s; }
const names = new Map(scans.length ? Object.entries(scans[scans.length - 1].sources) : []);

// said tells what one end hears of the other.
function said(way) {
  const s = [];
  if (way.lq !== null) s.push("quality " + way.lq + " of 3" + (way.second_hand ? " (as the other end was told)" : ""));
  if (way.rssi !== null) s.push(dBm(way.rssi));
  if (way.margin !== null) s.push("margin " + way.margin + " dB");
  if (way.frame_error !== null) s.push(share(way.frame_error) + " of frames lost");
  if (way.message_error !== null) s.push(share(way.message_error) + " of messages lost");
  return s.join(", ") || "not known";
}

function share(v) { return (v * 100).toFixed(v > 0 && v < 0.1 ? 1 : 0) + " %"; }

// The inventory: the columns of threadmap's own .csv files (RFC 4180).
const csvColumns = {
  id: (n) => n.id, name: (n) => n.d.name, role: (n) => known(n.d.role), parent: (n) => n.d.parent, parent_confidence: (n) => n.d.parent_confidence,
  network: (n) => n.d.network, rloc16: (n) => n.d.rloc16, ext_addr: (n) => n.d.ext_addr,
  lq_from_parent: (n, i) => i.lq, lq_to_parent: (n, i, o) => o.lq, rssi_from_parent: (n, i) => i.rssi, rssi_to_parent: (n, i, o) => o.rssi,
  border_router: (n) => n.d.border_router, state: (n) => n.d.state, room: (n) => n.d.room, vendor: (n) => n.d.vendor, product: (n) => n.d.product,
  firmware: (n) => n.d.firmware, thread_version: (n) => n.d.thread_version, last_heard: (n) => n.d.last_heard && n.d.last_heard.replace(/\.\d+Z$/, "Z"),
  parent_name: (n) => n.parent && n.parent.label, network_name: (n) => n.network && n.network.name, partition: (n) => n.d.partition,
  transport: (n) => known(n.d.transport), link_state: (n) => n.up && n.up.d.state, battery_percent: (n) => n.d.battery_percent, addresses: (n) => n.d.addresses.join(" "), why: (n) => n.d.why,
};

function known(word) { return word === "unknown" ? "" : word; }

function csv(nodes) {
  const none = { lq: null, rssi: null }, rows = [Object.keys(csvColumns)];
  for (const n of nodes) {
    const [hears, heard] = n.up ? ways(n.up, n) : [none, none];
    rows.push(Object.values(csvColumns).map((column) => column(n, hears, heard)));
  }
  return rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

// cell quotes a value, and keeps spreadsheets from running text as a formula.
function cell(v) {
  if (typeof v === "number" || typeof v === "boolean") return String(v);
  let s = v || "";
  if (/^[=+\-@＝＋－＠]/.test(s)) s = "'" + s;
  return /[",\r\n]|^\s|^\\\.$/.test(s) ? '"' + s.replace(/"/g, '""') + '"' : s;
}
