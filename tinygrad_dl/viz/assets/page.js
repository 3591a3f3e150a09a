"use strict";
// Shows what lies in the page's data and computes no number of its own. The number of the step, which groups are
// unfolded and which node is pinned are all there is to know; `build` draws the graph for what is unfolded, `show`
// puts it into the state of a step, whatever came before.
const {nodes, edges, steps, arrays, views, words, unfolded: atFirst} = JSON.parse(document.getElementById("data").textContent);
const at = id => document.getElementById(id);
const root = document.documentElement, graph = at("graph");
const unfolded = new Set(atFirst), home = [], drawn = {nodes: new Map(), groups: new Map(), lines: [], layer: null};
let step = 0, pinned = null, timer = null, zoom = null, size = [1, 1];
views.forEach((view, g) => view.boxes.forEach(box => { if (box.k == "node") home[box.i] = g; }));

function make(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) e.setAttribute(key, value);
  e.append(...children);
  return e;
}
function draw(name, attributes = {}, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) e.setAttribute(key, value);
  e.append(...children);
  return e;
}
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);

// --- where everything stands: the view of an unfolded group takes the place of its box, and all else makes room

const NAME = 26, INSET = 12, APART = 12;
function arrange(g) {
  const view = views[g], columns = view.columns.map(c => [...c]), boxes = view.boxes.map(b => ({...b}));
  const lines = view.lines.map(l => ({...l, via: l.via.map(p => [...p])}));
  const open = boxes.filter(box => box.k == "group" && unfolded.has(box.i));
  for (const box of open) {
    box.inner = arrange(box.i);
    box.wide = Math.max(box.w, box.inner.w + 2 * INSET);
    box.tall = Math.max(box.h, box.inner.h + NAME + INSET);
    const wider = Math.max(0, box.wide - (columns[box.c][1] - columns[box.c][0]));
    columns[box.c][1] += wider;
    for (let c = box.c + 1; c < columns.length; c++) { columns[c][0] += wider; columns[c][1] += wider; }
  }
  const cells = boxes.map(({c, y, h, tall}) => ({c, y, h, grows: tall != null}));
  for (const line of lines) line.via.forEach(([c, y], i) => cells.push({c, y, h: i === line.label ? 32 : 6}));
  for (const box of open) {  // it may fill what is free in its column, and grows if that is too little
    const [above, below] = [cells.filter(o => o.c == box.c && o.y < box.y), cells.filter(o => o.c == box.c && o.y > box.y)];
    box.from = Math.max(0, ...above.map(o => o.grows ? (o.y + o.h / 2 + box.y - box.h / 2 + APART) / 2 : o.y + o.h / 2 + APART));
    box.to = Math.min(view.h, ...below.map(o => o.grows ? (o.y - o.h / 2 + box.y + box.h / 2 - APART) / 2 : o.y - o.h / 2 - APART));
  }
  const moved = room(open.map(({from, to, tall}) => ({from, to, rate: Math.max(0, tall - (to - from)) / (to - from)})));
  for (const box of boxes) {
    if (box.inner) {
      const lowest = moved(box.to) - box.tall / 2, highest = moved(box.from) + box.tall / 2;
      [box.y, box.w, box.h] = [Math.max(highest, Math.min(lowest, moved(box.y))), box.wide, box.tall];
    } else box.y = (moved(box.y - box.h / 2) + moved(box.y + box.h / 2)) / 2;
  }
  for (const line of lines) for (const point of line.via) point[1] = moved(point[1]);
  return {columns, boxes, lines, w: columns.length ? columns[columns.length - 1][1] : 0, h: moved(view.h)};
}
function room(spans) {  // heights after all that grows has grown; the order from top to bottom stays
  const cuts = [...new Set(spans.flatMap(s => [s.from, s.to]))].sort((p, q) => p - q), parts = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const rate = Math.max(0, ...spans.filter(s => s.from <= cuts[i] && s.to >= cuts[i + 1]).map(s => s.rate));
    parts.push([cuts[i], cuts[i + 1], rate]);
  }
  return y => parts.reduce((sum, [from, to, rate]) => sum + rate * Math.max(0, Math.min(y, to) - from), y);
}
const middle = column => (column[0] + column[1]) / 2;

// Where a line meets a box: a node or a folded group at its side, an unfolded one at the end that its view has for it.
function end(place, box, kind, value, x, y, offset) {
  const side = kind == "out" ? 1 : -1, center = x + middle(place.columns[box.c]);
  if (!box.inner) return [center + side * box.w / 2, y + box.y + offset];
  const port = box.inner.boxes.find(b => b.k == kind && b.i == value);
  return [center + side * box.w / 2, y + box.y - box.h / 2 + NAME + port.y];
}
function path(place, line, x, y, right) {
  const from = place.boxes[line.s], to = place.boxes[line.t], value = edges[line.edges[0]].from;
  let [px, py] = end(place, from, "out", value, x, y, 0);
  const [tx, ty] = end(place, to, "in", value, x, y, line.in);
  let d = `M${from.k == "in" ? px - INSET : px},${py}H${px = x + place.columns[from.c][1]}`;
  const bend = (qx, qy) => { const mx = (px + qx) / 2; d += `C${mx},${py} ${mx},${qy} ${qx},${qy}`; py = qy; };
  for (const [c, vy] of line.via) { bend(x + place.columns[c][0], y + vy); d += `H${px = x + place.columns[c][1]}`; }
  bend(x + place.columns[to.c][0], ty);
  if (to.k == "out") return d + `H${right}`;
  return d + `H${tx}` + (to.inner ? "" : "m-7,-4l7,4l-7,4");
}

// --- the graph

function build() {
  const place = arrange(0), layers = [draw("g"), draw("g"), draw("g")];  // frames, lines, nodes
  drawn.nodes.clear(); drawn.groups.clear(); drawn.lines = []; drawn.layer = layers[1];
  put(place, 0, 0, place.w, layers);
  size = [place.w + 24, place.h + 24];
  const focus = document.activeElement?.dataset?.key;
  const svg = draw("svg", {viewBox: `-12 -12 ${size[0]} ${size[1]}`, role: "group", "aria-label": graph.getAttribute("aria-label")}, ...layers);
  graph.replaceChildren(svg);
  fit();
  show();
  if (focus) graph.querySelector(`[data-key="${focus}"]`)?.focus();
}
function put(place, x, y, right, layers) {
  for (const line of place.lines) {
    const g = draw("g", {}, draw("path", {class: "edge", d: path(place, line, x, y, right)}));
    if (line.label != null) {
      const [c, vy] = line.via[line.label], edge = edges[line.edges[0]], lx = x + middle(place.columns[c]);
      if (edge.local) g.append(draw("text", {class: "label", x: lx, y: y + vy - 6}, edge.local));
      if (edge.sent) g.append(draw("text", {class: "label sent", x: lx, y: y + vy + 14}, edge.sent));
    }
    layers[1].append(g);
    drawn.lines.push({edges: line.edges, g, path: g.firstChild});
  }
  for (const box of place.boxes) {
    const cx = x + middle(place.columns[box.c]), cy = y + box.y;
    if (box.k == "node") layers[2].append(node(box, cx, cy));
    else if (box.k == "group" && box.inner) {
      const left = cx - box.w / 2, top = cy - box.h / 2;
      layers[0].append(frame(box, left, top));
      put(box.inner, left + INSET, top + NAME, left + box.w, layers);
    } else if (box.k == "group") layers[2].append(folded(box, cx, cy));
  }
}
function pressable(key, cls, label, action, ...children) {
  const g = draw("g", {class: cls, role: "button", tabindex: 0, "data-key": key, "aria-label": label}, ...children);
  g.addEventListener("click", action);
  g.addEventListener("keydown", e => { if (e.key == "Enter" || e.key == " ") { e.preventDefault(); e.stopPropagation(); action(); } });
  return g;
}
const BODY = 34;
function node(box, x, y) {
  const n = nodes[box.i], text = draw("text", {class: "box", x, y}, n.box);
  const body = draw("rect", {class: "body", x: x - box.w / 2, y: y - BODY / 2, width: box.w, height: BODY, rx: n.kind == "result" ? 16 : 5});
  const above = draw("g"), below = draw("g");
  const g = pressable(`node${box.i}`, `node ${n.kind}`, n.name, () => pin(box.i), body, text, above, below);
  drawn.nodes.set(box.i, {g, above, below, x, y, w: box.w});
  return g;
}
function folded(box, x, y) {
  const body = draw("rect", {class: "body", x: x - box.w / 2, y: y - box.h / 2, width: box.w, height: box.h, rx: 10});
  const name = draw("text", {class: "box", x, y: y - 12}, views[box.i].label), values = draw("text", {class: "small", x, y: y + 7});
  const gradients = draw("text", {class: "small", x, y: y + 23});
  const g = pressable(`group${box.i}`, "group", "", () => toggle(box.i), body, name, values, gradients);
  g.setAttribute("aria-expanded", "false");
  drawn.groups.set(box.i, {g, values, gradients, x, y, w: box.w});
  return g;
}
function frame(box, x, y) {
  const g = pressable(`group${box.i}`, "group", `${views[box.i].label}, ${words.unfolded}`, () => toggle(box.i),
    draw("rect", {class: "frame", x, y, width: box.w, height: box.h, rx: 12}), draw("text", {class: "frame-name", x: x + 12, y: y + 18}, `⊟ ${views[box.i].label}`));
  g.setAttribute("aria-expanded", "true");
  return g;
}
function toggle(g) { if (!unfolded.delete(g)) unfolded.add(g); build(); }

// --- heat maps: blue is positive, orange negative, the stronger the further from 0; what is no number is violet

const LEVELS = "ABCDEFGHIJKLMNOPQRSTUabcdefghijklmnopqrst", maps = [];
function color(letter) {
  const level = LEVELS.indexOf(letter) - 20;
  return level < -20 ? "rgba(190,40,200,.9)" : `rgba(${level > 0 ? "40,110,220" : "230,110,30"},${Math.abs(level) / 20})`;
}
function heatMap(k) {
  if (maps[k]) return maps[k];
  const heat = arrays[k].heat, canvas = make("canvas", {width: heat[0].length, height: heat.length}), c = canvas.getContext("2d");
  heat.forEach((row, y) => [...row].forEach((letter, x) => { c.fillStyle = color(letter); c.fillRect(x, y, 1, 1); }));
  return maps[k] = canvas.toDataURL();
}
function cellOf(heat) { return Math.max(4, Math.min(12, Math.floor(48 / heat.length), Math.floor(84 / heat[0].length))); }

function chip(k, kind, x, y, up) {  // y is the edge that lies at the node
  const a = arrays[k], heat = a.heat, w = Math.max(heat ? heat[0].length * cellOf(heat) + 8 : 0, a.text.length * (heat ? 6.9 : 7.9) + (heat ? 0 : 14));
  const h = heat ? heat.length * cellOf(heat) + 22 : 20, top = up ? y - h : y;
  if (!heat) return draw("g", {class: `chip ${kind}`}, draw("rect", {x: x - w / 2, y: top, width: w, height: h, rx: 5}), draw("text", {x, y: top + 10.5}, a.text));
  const iw = heat[0].length * cellOf(heat), ih = heat.length * cellOf(heat), iy = up ? top + 15 : top + 4;
  return draw("g", {class: `chip ${kind}`}, draw("rect", {x: x - iw / 2 - 4, y: iy - 4, width: iw + 8, height: ih + 8, rx: 4}),
    draw("image", {class: "heat", href: heatMap(k), x: x - iw / 2, y: iy, width: iw, height: ih, preserveAspectRatio: "none"}),
    draw("text", {class: "size", x, y: up ? top + 5 : iy + ih + 11}, a.text));
}
function notYet(text, x, y, up) {
  const w = text.length * 6.9 + 14;
  return draw("g", {class: "chip none"}, draw("rect", {x: x - w / 2, y: up ? y - 20 : y, width: w, height: 20, rx: 5}), draw("text", {x, y: up ? y - 9.5 : y + 10.5}, text));
}

// --- the state of a step

const hasValue = n => nodes[n].valueStep <= step, hasGradient = n => nodes[n].gradientStep != null && nodes[n].gradientStep <= step;
const arrived = n => nodes[n].arrivals.filter(a => a[0] <= step && !hasGradient(n)).pop();
const gradientWord = n => nodes[n].gradientStep == null && step == steps.length - 1 ? words["no gradient"] : words["not yet"];

function show() {
  const now = steps[step], inside = hiddenIn(step);
  for (const [n, d] of drawn.nodes) {
    const seen = nodes[n];
    d.g.setAttribute("class", `node ${seen.kind}${now.node == n ? " now" : ""}${seen.kind == "leaf" && hasGradient(n) ? " full" : ""}${pinned == n ? " chosen" : ""}`);
    d.g.setAttribute("aria-label", spoken(n));
    d.g.setAttribute("aria-pressed", pinned == n);
    const state = `${hasValue(n)} ${hasGradient(n)} ${arrived(n)?.[0]} ${gradientWord(n)}`;
    if (state == d.state) continue;
    d.state = state;
    const up = d.y - BODY / 2 - 6, down = d.y + BODY / 2 + 6, part = arrived(n);
    d.above.replaceChildren(hasValue(n) ? chip(seen.value, "value", d.x, up, true) : notYet(words["not yet"], d.x, up, true));
    if (seen.kind == "constant") continue;
    d.below.replaceChildren(hasGradient(n) ? chip(seen.gradient, "gradient", d.x, down, false)
      : part ? chip(part[1], "gradient part", d.x, down, false) : notYet(gradientWord(n), d.x, down, false));
  }
  for (const [g, d] of drawn.groups) {
    const all = membersOf(g), flowing = all.filter(n => nodes[n].kind != "constant");
    const values = fill(words.values, {done: all.filter(hasValue).length, all: all.length});
    const gradients = fill(words.gradients, {done: flowing.filter(hasGradient).length, all: flowing.length});
    d.g.setAttribute("class", `group${inside == g ? " now" : ""}`);
    d.g.setAttribute("aria-label", `${views[g].label}, ${words.folded}, ${values}, ${gradients}`);
    d.values.textContent = values;
    d.gradients.textContent = gradients;
  }
  for (const {edges: own, g, path} of drawn.lines) {
    const lit = own.some(e => now.lit?.includes(e)), past = own.some(e => edges[e].step <= step);
    g.setAttribute("class", lit ? "lit" : past ? "past" : "");
    path.setAttribute("class", "edge" + (lit ? " lit" : now.phase == "forward" && own.some(e => edges[e].to == now.node) ? " forward" : past ? " past" : ""));
  }
  const bright = [...drawn.lines].sort((a, b) => now.lit ? a.g.matches(".lit") - b.g.matches(".lit") : a.path.matches(".forward") - b.path.matches(".forward"));
  drawn.layer.replaceChildren(...bright.map(line => line.g));  // what is lit lies above
  showStep(now, inside);
  showPinned();
  showLines();
  at("range").value = step + 1;
  at("count").textContent = fill(words.count, {step: step + 1, steps: steps.length});
  at("range").setAttribute("aria-valuetext", at("count").textContent);
  at("jump").value = step;
  if (location.protocol != "about:") history.replaceState(null, "", `#step=${step + 1}`);
}
function spoken(n) {
  const seen = nodes[n], parts = [`${seen.box}, ${words[seen.kind]}`, `${words.out}: ${hasValue(n) ? arrays[seen.value].text : words["not yet"]}`];
  if (seen.kind != "constant") parts.push(`${words.gradient}: ${hasGradient(n) ? arrays[seen.gradient].text : gradientWord(n)}`);
  return parts.join(", ");
}
function membersOf(g) {
  return views[g].all ??= views[g].boxes.flatMap(box => box.k == "node" ? [box.i] : box.k == "group" ? membersOf(box.i) : []);
}
function hiddenIn(s) {  // the outermost folded group that a step happens in
  if (steps[s].node == null) return null;
  let found = null;
  for (let g = home[steps[s].node]; g; g = views[g].parent) if (!unfolded.has(g)) found = g;
  return found;
}

function array(k) {
  const a = arrays[k], box = make("div", {class: "array"});
  if (a.parts) box.append(...a.parts.map(array));
  if (a.cells) {
    const rows = a.cells.map((row, y) => make("tr", {}, ...row.map((text, x) => {
      const cell = make("td", {}, text), c = color(a.heat[y][x]);
      cell.style.background = c.replace(/[\d.]+\)$/, alpha => `${parseFloat(alpha) * .4})`);
      return cell;
    })));
    box.append(make("table", {}, make("tbody", {}, ...rows)));
  } else if (a.heat) {
    const cell = Math.max(6, Math.min(16, Math.floor(280 / a.heat[0].length)));
    box.append(make("img", {class: "heat", src: heatMap(k), width: a.heat[0].length * cell, height: a.heat.length * cell, alt: `${a.text}: ${a.note}`}));
  }
  if (a.note) box.append(make("small", {}, a.cells || !a.sample ? a.note : `${a.note}. ${a.sample}`));
  return box;
}
function rowsOf(rows) {
  return make("dl", {}, ...rows.flatMap(row => [make("dt", {}, row.label), make("dd", {class: `${row.kind || ""}${row.array == null ? "" : " wide"}`}, row.text, ...(row.array == null ? [] : [array(row.array)]))]));
}
function showStep(now, inside) {
  const parts = [make("h2", {}, `${words[now.phase]} · ${fill(words.count, {step: step + 1, steps: steps.length})}`), make("p", {class: "what"}, now.title)];
  if (inside) parts.push(make("p", {class: "inside"}, fill(words.inside, {name: views[inside].label})));
  if (now.hint) parts.push(make("p", {class: "hint"}, now.hint));
  parts.push(rowsOf(now.rows));
  if (now.pending) parts.push(make("ul", {class: "pending"}, ...now.pending.map(text => make("li", {}, text))));
  at("now").replaceChildren(...parts);
  const rows = now.rows.map(row => `${row.label}: ${row.text}`);
  at("said").textContent = [at("now").firstChild.textContent, now.title, ...rows, ...(now.pending || [])].join(". ");
}
function showPinned() {
  at("pinned").hidden = pinned == null;
  if (pinned == null) return;
  const n = nodes[pinned], value = arrays[n.value], users = edges.filter(e => e.from == pinned).map(e => nodes[e.to].name);
  const shownAs = (label, k, kind) => ({label, text: arrays[k].text, kind, array: arrays[k].heat || arrays[k].parts ? k : null});
  const rows = [], part = arrived(pinned);
  if (n.formula) rows.push({label: words.formula, text: `${n.name} = ${n.formula}`});
  rows.push({label: words.shape, text: value.shape || (value.parts ? value.text : words.number)});
  if (value.dtype) rows.push({label: words.dtype, text: value.dtype});
  rows.push(hasValue(pinned) ? shownAs(words.out, n.value, "value") : {label: words.out, text: words["not yet"]});
  if (n.kind != "constant") rows.push(hasGradient(pinned) ? shownAs(words.gradient, n.gradient, "gradient")
    : part ? {label: words.gradient, text: `${arrays[part[1]].text} (${fill(words.arrived, {done: part[2], all: part[3]})})`} : {label: words.gradient, text: gradientWord(pinned)});
  if (users.length) rows.push({label: words["used by"], text: [...new Set(users)].join(", ")});
  if (n.source) rows.push({label: words.source, text: n.source.filter(Boolean).join(": ")});
  if (n.modules) rows.push({label: words.module, text: n.modules});
  const unpin = make("button", {type: "button", id: "unpin", "aria-label": words.unpin}, "×");
  unpin.addEventListener("click", () => pin(null));
  const leads = ["forward", "backward"].map(phase => [phase, steps.findLastIndex(s => s.phase == phase && s.node == pinned)]).filter(([, s]) => s >= 0)
    .map(([phase, s]) => {
      const lead = make("button", {type: "button", class: "lead"}, `${words[phase]}: ${words.step.toLowerCase()} ${s + 1}`);
      lead.addEventListener("click", () => { stop(); go(s); });
      return lead;
    });
  at("pinned").replaceChildren(unpin, make("h2", {}, `${words.pinned}: ${words[n.kind]}`), make("p", {class: "what"}, n.name), rowsOf(rows), ...leads);
}
const LINES = 300;  // of the derivation that are shown at a time
function showLines() {
  const items = [];
  let phase = "start";
  for (let s = Math.max(0, step - LINES); s <= step; s++) {
    if (steps[s].phase != phase) items.push(make("li", {class: "phase"}, words[phase = steps[s].phase]));
    for (const text of steps[s].lines) items.push(make("li", {class: s == step ? "now" : null}, text));
  }
  at("lines").replaceChildren(...items);
}

// --- moving about

function go(to) {
  const before = step;
  step = Math.max(0, Math.min(steps.length - 1, to));
  show();
  if (step != before) follow();
}
function follow() {  // keep what lights up in sight
  const d = drawn.nodes.get(steps[step].node) || drawn.groups.get(hiddenIn(step));
  if (!d) return;
  const scale = graph.firstChild.getBoundingClientRect().width / size[0], x = (d.x + 12) * scale, y = (d.y + 12) * scale;
  if (x - 60 < graph.scrollLeft || x + 60 > graph.scrollLeft + graph.clientWidth) graph.scrollLeft = x - graph.clientWidth / 2;
  if (y - 60 < graph.scrollTop || y + 60 > graph.scrollTop + graph.clientHeight) graph.scrollTop = y - graph.clientHeight / 2;
}
const together = (s, t) => hiddenIn(s) != null && hiddenIn(s) == hiddenIn(t) && steps[s].phase == steps[t].phase;
function next() {  // what happens in a folded group is one step
  let to = step + 1;
  while (to + 1 < steps.length && together(to, to + 1)) to++;
  go(to);
}
function back() {
  let to = step;
  while (to > 0 && together(to - 1, to)) to--;
  go(to - 1);
}
function stop() { clearTimeout(timer); timer = null; playButton(); }
function play() {
  if (timer) return stop();
  if (step == steps.length - 1) go(0);
  tick();
}
function tick() {
  timer = setTimeout(() => { next(); if (step == steps.length - 1) stop(); else tick(); }, +at("speed").value);
  playButton();
}
function playButton() {
  at("play").replaceChildren(timer ? "⏸ " : "▶ ", make("b", {}, timer ? words.pause : words.play));
  at("play").setAttribute("aria-label", timer ? words.pause : words.play);
}
function pin(n) { pinned = pinned == n ? null : n; show(); }
function fit() {
  const large = root.dataset.size ? 1.35 : 1, wide = (graph.clientWidth - 22) / size[0];
  const scale = zoom ?? Math.max(.62, Math.min(1.25 * large, wide));
  const svg = graph.firstChild;
  svg.setAttribute("width", size[0] * scale);
  svg.setAttribute("height", size[1] * scale);
  return scale;
}
function zoomBy(factor) { zoom = Math.max(.15, Math.min(4, fit() * factor)); fit(); follow(); }
function theme() {
  const dark = root.dataset.theme ? root.dataset.theme == "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}
function large() {
  if (root.dataset.size) delete root.dataset.size; else root.dataset.size = "large";
  at("size").setAttribute("aria-pressed", !!root.dataset.size);
  fit();
}
const all = views.map((_, g) => g).slice(1);
const actions = {first: () => go(0), back, next, last: () => go(steps.length - 1), play, theme, size: large,
  smaller: () => zoomBy(1 / 1.25), larger: () => zoomBy(1.25),
  fold: () => { unfolded.clear(); build(); }, unfold: () => { all.forEach(g => unfolded.add(g)); build(); }};
const byHand = name => { if (timer && name != "play" && ["first", "back", "next", "last"].includes(name)) stop(); actions[name](); };
const keys = {ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last", " ": "play"};

document.querySelector(".bar").addEventListener("click", e => { const name = e.target.closest("button")?.dataset.go; if (name) byHand(name); });
at("range").addEventListener("input", e => { stop(); go(e.target.value - 1); });
at("jump").addEventListener("change", e => { stop(); go(+e.target.value); });
addEventListener("keydown", e => {
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  if (e.key == "Escape" && pinned != null) return pin(null);
  const control = e.target.closest?.("input, select"), pressed = e.key == " " && e.target.closest?.("button");
  if (keys[e.key] && !control && !pressed) { e.preventDefault(); byHand(keys[e.key]); }
});
let touch = null;
addEventListener("touchstart", e => {
  const scrolls = e.target.closest("#graph, .array"), one = e.touches.length == 1;
  touch = one && !(scrolls && scrolls.scrollWidth > scrolls.clientWidth) && !e.target.closest(".bar") ? e.touches[0] : null;
}, {passive: true});
addEventListener("touchend", e => {
  if (!touch) return;
  const dx = e.changedTouches[0].clientX - touch.clientX, dy = e.changedTouches[0].clientY - touch.clientY;
  if (Math.abs(dx) > 45 && Math.abs(dx) > 2 * Math.abs(dy)) byHand(dx < 0 ? "next" : "back");
  touch = null;
});
const linked = () => (parseInt(/step=(\d+)/.exec(location.hash)?.[1]) || 1) - 1;
addEventListener("hashchange", () => go(linked()));
addEventListener("resize", fit);

at("range").max = steps.length;
for (const phase of ["start", "forward", "backward"]) {
  const own = [...steps.keys()].filter(s => steps[s].phase == phase);
  at("jump").append(make("optgroup", {label: words[phase]}, ...own.map(s => make("option", {value: s}, `${s + 1}. ${steps[s].title.slice(0, 60)}`))));
}
for (const button of document.querySelectorAll(".folds")) button.hidden = !all.length;
playButton();
step = Math.max(0, Math.min(steps.length - 1, linked()));
build();
follow();
