"use strict";
// The page: a table of the newest values, and plots of the fields that are ticked.

const at = (id) => document.getElementById(id);
const plot = new Plot(at("plot"));
/** By topic: its table, and its fields by their paths. */
const shown = new Map();
/** Fields to plot, also while their region is gone: a name is a topic and a path. */
const picked = new Set(new URLSearchParams(location.hash.slice(1)).getAll("plot"));
/** By names: what was plotted of fields whose region or server is gone. */
const kept = new Map();
const MOST_FIELDS = 512;

const link = new Link({
  state(text, is_good) {
    at("state").textContent = text;
    at("state").classList.toggle("bad", !is_good);
  },
  info(info) {
    at("send").hidden = !info.capabilities.includes("clientPublish");
  },
  status(status) {
    const place = status.id && status.id.startsWith("send ") ? at("sent") : at("state");
    if (status.level > 1) place.textContent = status.message;
  },
  come(channels) {
    channels.filter((channel) => !is_missed(channel)).forEach(show);
    order();
  },
  gone(ids) {
    for (const [topic, one] of shown) {
      if (!ids.includes(one.channel.id)) continue;
      for (const field of one.fields.values()) if (field.samples) kept.set(field.name, field.samples);
      one.table.remove();
      one.option.remove();
      plot.fields = plot.fields.filter((field) => field.topic !== topic);
      shown.delete(topic);
    }
    order();
  },
  message(channel, seconds, object) {
    if (is_missed(channel)) return tell_missed(object);
    const one = shown.get(channel.topic);
    if (!one) return;
    one.seen++;
    one.newest = object;
    one.seconds = seconds;
    one.is_new = true;
    for (const field of one.fields.values()) {
      if (field.samples) field.samples.push(seconds, number(value_at(object, field.keys)));
    }
  },
});

function is_missed(channel) { return channel.schemaName === "strait.Missed"; }

function tell_missed({ topic, missed, left_out }) {
  const one = shown.get(topic);
  if (!one) return;
  one.missed.textContent = missed ? `${missed} missed` : "";
  one.left_out = left_out;
}

function number(value) { return typeof value === "number" ? value : NaN; }

function value_at(object, keys) {
  return keys.reduce((inner, key) => inner === null || inner === undefined ? undefined : inner[key], object);
}

/** The fields of a value, by their paths; of an array of numbers, each. */
function walk(value, keys, schema, found) {
  if (found.length >= MOST_FIELDS) return;
  if (value !== null && typeof value === "object") {
    for (const key of Object.keys(value)) {
      const inner = Array.isArray(value) ? schema && schema.items : schema && schema.properties && schema.properties[key];
      walk(value[key], [...keys, Array.isArray(value) ? Number(key) : key], inner, found);
    }
    return;
  }
  found.push({ keys, schema: schema || {} });
}

function path_of(keys) {
  return keys.reduce((path, key) => typeof key === "number" ? `${path}[${key}]` : path ? `${path}.${key}` : key, "");
}

function show(channel) {
  const table = document.createElement("table");
  const caption = table.createCaption();
  const add = (name) => caption.appendChild(Object.assign(document.createElement("span"), { className: name }));
  caption.append(channel.topic);
  table.dataset.topic = channel.topic;
  const option = new Option(channel.topic);
  at("topic").append(option);
  const schema = JSON.parse(channel.schema);
  shown.set(channel.topic, {
    channel, table, option, schema, about: add("about"), missed: add("missed"), fields: new Map(), seen: 0, was: 0,
    left_out: 0, newest: null, is_new: false,
  });
  filter_table(table);
}

/** Puts the tables in the order of their topics. */
function order() {
  at("channels").append(...[...shown.keys()].sort().map((topic) => shown.get(topic).table));
  at("none").hidden = shown.size > 0;
}

function field_of(topic, one, { keys, schema }) {
  const path = path_of(keys), name = `${topic} ${path}`, row = one.table.insertRow();
  const cell = (kind) => Object.assign(row.insertCell(), { className: kind });
  const box = Object.assign(document.createElement("input"), { type: "checkbox", title: `plot ${name}` });
  cell("pick").append(box);
  cell("name").textContent = path;
  const value = cell("value");
  cell("unit").textContent = schema["x-unit"] || "";
  row.title = schema.description || "";
  row.dataset.name = name;
  const field = { topic, keys, name, unit: schema["x-unit"], names: schema["x-names"] || {}, value, box, row };
  box.onchange = () => pick(field, box.checked);
  one.fields.set(path, field);
  if (picked.has(name)) { box.checked = true; pick(field, true); }
  filter_table(one.table);
  return field;
}

function pick(field, is_picked) {
  plot.fields = plot.fields.filter((other) => other !== field);
  field.samples = null;
  if (is_picked) {
    const { seconds, newest } = shown.get(field.topic);
    field.samples = kept.get(field.name) || new Samples();
    // What came while it was gone is not known.
    if (field.samples.count) field.samples.push(seconds, NaN);
    field.samples.push(seconds, number(value_at(newest, field.keys)));
    plot.fields.push(field);
    picked.add(field.name);
  } else picked.delete(field.name);
  kept.delete(field.name);
  // In the order in which they were picked, also after a server has come back.
  const names = [...picked];
  plot.fields.sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
  const hash = new URLSearchParams([...picked].map((name) => ["plot", name]));
  history.replaceState(null, "", location.search + (picked.size ? `#${hash}` : "") || location.pathname);
}

/** Hides the fields without the word, and a table of which none is left. */
function filter_table(table) {
  const word = at("filter").value.toLowerCase(), rows = [...table.rows];
  for (const row of rows) row.hidden = !row.dataset.name.toLowerCase().includes(word);
  table.hidden = !table.dataset.topic.toLowerCase().includes(word) && rows.every((row) => row.hidden);
}

at("filter").oninput = () => document.querySelectorAll("#channels table").forEach(filter_table);
at("span").onchange = () => { plot.span = Number(at("span").value); };

function pause(is_paused) {
  at("pause").setAttribute("aria-pressed", String(is_paused));
  plot.end = is_paused ? plot.right() : null;
}

function is_paused() { return plot.end !== null; }

at("pause").onclick = () => pause(!is_paused());
at("live").onclick = () => { pause(false); plot.span = Number(at("span").value); };
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || /^(INPUT|SELECT|BUTTON)$/.test(event.target.tagName)) return;
  event.preventDefault();
  pause(!is_paused());
});

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

at("csv").onclick = () => save(new Blob([plot.csv()], { type: "text/csv" }), "strait.csv");
at("png").onclick = () => { plot.draw(); plot.canvas.toBlob((blob) => save(blob, "strait.png"), "image/png"); };

at("topic").onchange = propose;
function propose() {
  const one = shown.get(at("topic").value);
  at("value").value = one && one.newest ? JSON.stringify(one.newest) : "";
}
at("value").onfocus = () => { if (!at("value").value) propose(); };
at("send").onsubmit = (event) => {
  event.preventDefault();
  at("sent").textContent = "";
  link.send(at("topic").value, at("value").value);
};

function refresh_table() {
  if (is_paused()) return;
  for (const [topic, one] of shown) {
    if (!one.is_new) continue;
    one.is_new = false;
    const found = [];
    walk(one.newest, [], one.schema, found);
    for (const { keys, schema } of found) {
      const field = one.fields.get(path_of(keys)) || field_of(topic, one, { keys, schema });
      const value = value_at(one.newest, keys), name = field.names[value];
      const text = name === undefined ? (typeof value === "number" ? short(value) : String(value)) : `${name} (${value})`;
      if (field.value.textContent !== text) field.value.textContent = text;
    }
  }
}

let counted = performance.now();
function refresh_rates() {
  const now = performance.now(), seconds = (now - counted) / 1000;
  counted = now;
  for (const one of shown.values()) {
    const all = one.seen + one.left_out, rate = (all - one.was) / seconds;
    one.was = all;
    one.about.textContent = `${one.channel.schemaName}  ${rate.toFixed(rate < 10 ? 1 : 0)}/s`;
  }
}

let last = 0;
function frame(time) {
  // Plots as fast as the screen, tables as fast as one can read.
  plot.draw();
  if (time - last > 100) { last = time; refresh_table(); }
  at("pause").setAttribute("aria-pressed", String(is_paused()));
  requestAnimationFrame(frame);
}
setInterval(refresh_rates, 1000);
requestAnimationFrame(frame);
