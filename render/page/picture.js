// The picture: which of them is shown, where one looks at it, what is lit.

const picture = document.getElementById("picture");
// As written, for exports; what is shown gets classes and is moved about.
const pristine = [...document.querySelectorAll("template.scan")].map((t) => t.content.firstElementChild);
pristine.push(picture.firstElementChild.cloneNode(true));

const eye = { x: 0, y: 0, w: 1, h: 1 }; // the part of the picture one sees, in its pixels
let untouched = true; // nobody moved it since it was fitted: fit it again when the room changes
let svg = null; // the picture shown
let marks = new Map(); // node -> its group
let lines = []; // { el, link, trunk }: groups of links, and of the trunks of fans
let areas = []; // { parts, room }: the tinted areas of rooms, each with the names in it

// key makes ids of documents and of drawings comparable: a drawing can't hold
// control characters, and HTML reads a few references its own way.
function key(id) { return String(id).replace(/[^ -~]/g, "?"); }

function showPicture(i, h) {
  svg = pristine[i].cloneNode(true);
  picture.replaceChildren(svg);
  const byKey = new Map(), linkOf = new Map();
  for (const n of h.nodes.values()) byKey.set(key(n.id), n);
  for (const l of h.links) { linkOf.set(key(l.a.id) + "\n" + key(l.b.id), l); linkOf.set(key(l.b.id) + "\n" + key(l.a.id), l); }
  marks = new Map();
  for (const el of svg.querySelectorAll("[data-id]")) {
    const n = byKey.get(key(el.dataset.id));
    if (!n || marks.has(n)) continue;
    marks.set(n, el);
    el.setAttribute("tabindex", marks.size === 1 ? "0" : "-1");
    el.setAttribute("role", "button");
    el.setAttribute("aria-label", n.label + (n.role ? ", " + n.role : ""));
  }
  areas = [...svg.querySelectorAll("[data-room]")].map((el) => {
    const parts = [el];
    for (let e = el.nextElementSibling; e && e.tagName === "text"; e = e.nextElementSibling) parts.push(e);
    return { parts, room: el.dataset.room };
  });
  lines = [];
  for (const el of svg.querySelectorAll("[data-a]")) {
    const a = byKey.get(key(el.dataset.a));
    if (!el.hasAttribute("data-b")) { lines.push({ el, trunk: a }); continue; }
    const link = linkOf.get(key(el.dataset.a) + "\n" + key(el.dataset.b));
    lines.push({ el, link });
    // Thin lines are hard to hit: a broad one without colour lies over each.
    const hit = document.createElementNS("http://www.w3.org/2000/svg", "g");
    hit.setAttribute("class", "hit");
    for (const path of el.querySelectorAll("path:not(.arrow, .cross)")) {
      hit.append(path.cloneNode());
      hit.lastChild.removeAttribute("class");
    }
    el.append(hit);
  }
}

// nodeAt and linkAt tell what an element of the picture belongs to.
function nodeAt(target) {
  const el = target.closest("[data-id]");
  for (const [n, mark] of marks) if (mark === el) return n;
  return null;
}

function linkAt(target) {
  const el = target.closest("[data-b]"), line = el && lines.find((x) => x.el === el);
  return line && line.link || null;
}

// light shows some nodes and links and dims all others; null: nothing is
// dimmed. lit are the links, lost the nodes, and room the area, that stand out.
function light(keep, links, { lit = new Set(), lost = new Set(), chosen = null, room = null } = {}) {
  picture.classList.toggle("dimmed", !!keep);
  for (const [n, el] of marks) {
    el.classList.toggle("dim", !!keep && !keep.has(n) && !lost.has(n));
    el.classList.toggle("lost", lost.has(n));
    el.classList.toggle("chosen", n === chosen);
    if (chosen) el.setAttribute("tabindex", n === chosen ? "0" : "-1");
  }
  // An area dims with all that is in it. That of the room asked for stands out.
  const rooms = new Set(keep ? [...keep, ...lost].map((n) => n.d.room) : []);
  for (const x of areas) {
    for (const el of x.parts) el.classList.toggle("dim", !!keep && !rooms.has(x.room));
    x.parts[0].classList.toggle("asked", x.room === room);
  }
  const trunks = new Set();
  for (const x of lines) {
    if (x.trunk) continue;
    const on = !keep || links.has(x.link) || lit.has(x.link);
    x.el.classList.toggle("dim", !on);
    x.el.classList.toggle("lit", lit.has(x.link));
    if (on && x.link) { trunks.add(x.link.a); trunks.add(x.link.b); }
  }
  for (const x of lines) if (x.trunk) x.el.classList.toggle("dim", !!keep && !trunks.has(x.trunk));
}

function look() { svg.setAttribute("viewBox", [eye.x, eye.y, eye.w, eye.h].map((v) => v.toFixed(2)).join(" ")); }

// whole is the box of all that is drawn.
function whole() {
  const b = svg.getBBox(), pad = 14;
  return { x: b.x - pad, y: b.y - pad, w: Math.max(b.width + 2 * pad, 50), h: Math.max(b.height + 2 * pad, 50) };
}

// fit shows the whole picture; on a small screen its upper left part, as small
// as can still be read.
function fit(all) {
  const box = whole(), r = picture.getBoundingClientRect();
  if (!r.width || !r.height) return;
  let scale = Math.min(r.width / box.w, r.height / box.h, 1.6);
  const readable = 0.5;
  const part = !all && scale < readable;
  if (part) scale = readable;
  eye.w = r.width / scale;
  eye.h = r.height / scale;
  eye.x = part && eye.w < box.w ? box.x : box.x - (eye.w - box.w) / 2;
  eye.y = part && eye.h < box.h ? box.y : box.y - (eye.h - box.h) / 2;
  untouched = true;
  look();
}

// resize keeps the scale and the middle when the room changes.
let room = { width: 0, height: 0 };
function resize() {
  const r = picture.getBoundingClientRect();
  if (!r.width || !r.height || r.width === room.width && r.height === room.height) return;
  if (!room.width || untouched) {
    fit(false);
  } else {
    const scale = room.width / eye.w, w = r.width / scale, h = r.height / scale;
    eye.x += (eye.w - w) / 2;
    eye.y += (eye.h - h) / 2;
    eye.w = w;
    eye.h = h;
    look();
  }
  room = { width: r.width, height: r.height };
}

// zoom makes things larger by a factor, around a place on the screen.
function zoom(factor, cx, cy) {
  const r = picture.getBoundingClientRect(), box = whole();
  untouched = false;
  const least = 80, most = Math.max(box.w, box.h * r.width / r.height) * 3;
  const w = Math.min(Math.max(eye.w / factor, least), most), h = w * r.height / r.width;
  const fx = cx === undefined ? 0.5 : (cx - r.left) / r.width, fy = cy === undefined ? 0.5 : (cy - r.top) / r.height;
  eye.x += (eye.w - w) * fx;
  eye.y += (eye.h - h) * fy;
  eye.w = w;
  eye.h = h;
  look();
}

// pan moves by pixels of the screen, never so far that nothing is left to see.
function pan(dx, dy) {
  untouched = false;
  const scale = eye.w / picture.getBoundingClientRect().width, box = whole();
  eye.x = Math.min(Math.max(eye.x + dx * scale, box.x - eye.w * 0.8), box.x + box.w - eye.w * 0.2);
  eye.y = Math.min(Math.max(eye.y + dy * scale, box.y - eye.h * 0.8), box.y + box.h - eye.h * 0.2);
  look();
}

// middle is where the mark of a node stands in the picture.
function middle(n) {
  const el = marks.get(n), mark = el && (el.querySelector(".mark") || el);
  if (!mark) return null;
  const b = mark.getBBox();
  return { x: b.x + b.width / 2, y: b.y + b.height / 2 };
}

// reveal brings a node into sight, free of a panel that covers the lower part.
function reveal(n) {
  const at = middle(n);
  if (!at || !room.width) return;
  const covered = room.width <= 720 ? 0.55 : 0, h = eye.h * (1 - covered);
  const edge = 0.08 * Math.min(eye.w, h);
  if (at.x < eye.x + edge || at.x > eye.x + eye.w - edge) eye.x = at.x - eye.w / 2;
  if (at.y < eye.y + edge || at.y > eye.y + h - edge) eye.y = at.y - h / 2;
  look();
}

// neighbor is the node nearest in a direction.
function neighbor(from, dx, dy) {
  const a = middle(from);
  let best = null, least = Infinity;
  for (const n of marks.keys()) {
    const b = n !== from && middle(n);
    if (!a || !b) continue;
    const along = (b.x - a.x) * dx + (b.y - a.y) * dy, across = Math.abs((b.x - a.x) * dy) + Math.abs((b.y - a.y) * dx);
    if (along > 1 && along + 2 * across < least) { best = n; least = along + 2 * across; }
  }
  return best;
}

// Pointers: one moves the picture, two pinch it. A click that was none, because
// the pointer moved, is swallowed.
const pointers = new Map();
let moved = false;

picture.addEventListener("pointerdown", (e) => {
  if (e.button > 0) return;
  if (!pointers.size) moved = false;
  pointers.set(e.pointerId, { x: e.clientX, y: e.clientY, x0: e.clientX, y0: e.clientY });
});

picture.addEventListener("pointermove", (e) => {
  const p = pointers.get(e.pointerId);
  if (!p) return;
  if (!moved && Math.hypot(e.clientX - p.x0, e.clientY - p.y0) < 5) return;
  if (!moved) {
    moved = true;
    picture.classList.add("moving");
  }
  if (!picture.hasPointerCapture(e.pointerId)) picture.setPointerCapture(e.pointerId);
  const other = [...pointers].find(([id]) => id !== e.pointerId);
  if (!other) {
    pan(p.x - e.clientX, p.y - e.clientY);
  } else {
    const o = other[1], before = Math.hypot(p.x - o.x, p.y - o.y), now = Math.hypot(e.clientX - o.x, e.clientY - o.y);
    pan((p.x - e.clientX) / 2, (p.y - e.clientY) / 2);
    if (before > 0 && now > 0) zoom(now / before, (e.clientX + o.x) / 2, (e.clientY + o.y) / 2);
  }
  p.x = e.clientX;
  p.y = e.clientY;
});

for (const type of ["pointerup", "pointercancel"]) {
  picture.addEventListener(type, (e) => {
    pointers.delete(e.pointerId);
    if (!pointers.size) picture.classList.remove("moving");
  });
}

picture.addEventListener("click", (e) => {
  if (moved) { e.stopImmediatePropagation(); e.preventDefault(); moved = false; }
}, true);

picture.addEventListener("wheel", (e) => {
  e.preventDefault();
  const lines = e.deltaMode === 1 ? 16 : 1;
  zoom(Math.exp(-e.deltaY * lines * (e.ctrlKey ? 0.01 : 0.0016)), e.clientX, e.clientY);
}, { passive: false });

// svgText is the picture as a file.
function svgText(i) { return new XMLSerializer().serializeToString(pristine[i]); }

// png draws the picture at twice its size, less where browsers could not.
async function png(i) {
  const w = Number(pristine[i].getAttribute("width")), h = Number(pristine[i].getAttribute("height"));
  const scale = Math.min(2, 16000 / w, 16000 / h, Math.sqrt(1e8 / (w * h)));
  const url = URL.createObjectURL(new Blob([svgText(i)], { type: "image/svg+xml" }));
  try {
    const img = new Image();
    img.src = url;
    await img.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
    canvas.getContext("2d").drawImage(img, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, failed) => canvas.toBlob((b) => b ? done(b) : failed(new Error("the browser could not make the picture")), "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}
