"use strict";
// Plots of fields over time on a canvas, one below the other, on one axis of time.

const COLOURS = ["#0b7fd4", "#d9541e", "#2c9a4b", "#9a4fc4", "#c4922c", "#c43b6a", "#1a9b9b", "#7a7a2c"];
const MOST_SAMPLES = 200000;

/** The samples of one field, the oldest overwritten. */
class Samples {
  constructor() {
    this.times = new Float64Array(1024);
    this.values = new Float64Array(1024);
    this.start = 0;
    this.count = 0;
  }

  push(time, value) {
    const room = this.times.length;
    if (this.count === room && room < MOST_SAMPLES) this.grow(Math.min(2 * room, MOST_SAMPLES));
    const place = (this.start + this.count) % this.times.length;
    this.times[place] = time;
    this.values[place] = value;
    if (this.count < this.times.length) this.count++;
    else this.start = (this.start + 1) % this.times.length;
  }

  grow(room) {
    const times = new Float64Array(room), values = new Float64Array(room);
    for (let n = 0; n < this.count; n++) {
      times[n] = this.time(n);
      values[n] = this.value(n);
    }
    Object.assign(this, { times, values, start: 0 });
  }

  time(n) { return this.times[(this.start + n) % this.times.length]; }
  value(n) { return this.values[(this.start + n) % this.values.length]; }

  /** The number of the first sample that is not before `time`. */
  from(time) {
    let low = 0, high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Steps of an axis: 1, 2 or 5 times a power of ten. */
function step(range, most) {
  const rough = range / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) || 10);
}

function short(value) {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e7 || size < 1e-4) ? value.toExponential(3) : String(+value.toPrecision(7));
}

class Plot {
  constructor(canvas) {
    this.canvas = canvas;
    this.fields = [];
    this.span = 10;
    /** The right end while it does not move; null if it follows the newest values. */
    this.end = null;
    this.cursor = null;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.drag = { x: event.offsetX, end: this.right() };
    });
    canvas.addEventListener("pointermove", (event) => {
      this.cursor = event.offsetX;
      if (this.drag) this.end = this.drag.end - (event.offsetX - this.drag.x) * this.span / this.width();
    });
    canvas.addEventListener("pointerup", () => { this.drag = null; });
    canvas.addEventListener("pointerleave", () => { this.cursor = null; });
    canvas.addEventListener("dblclick", () => { this.end = null; });
  }

  get margin() { return 76; }
  width() { return Math.max(this.canvas.clientWidth - this.margin - 8, 10); }
  right() { return this.end === null ? Date.now() / 1000 : this.end; }

  wheel(event) {
    event.preventDefault();
    const factor = Math.exp(event.deltaY / 500), old = this.span, right = this.right();
    this.span = Math.min(Math.max(old * factor, 0.01), 3600);
    // The time under the pointer stays there, unless the newest values are followed.
    if (this.end !== null) {
      const share = 1 - (event.offsetX - this.margin) / this.width();
      this.end = right - share * (old - this.span);
    }
  }

  draw() {
    const { canvas } = this, scale = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth, high = canvas.clientHeight;
    if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(high * scale)) {
      canvas.width = Math.round(wide * scale);
      canvas.height = Math.round(high * scale);
    }
    const g = canvas.getContext("2d"), style = getComputedStyle(document.body);
    const colour = (name) => style.getPropertyValue(name);
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.fillStyle = colour("--back");
    g.fillRect(0, 0, wide, high);
    g.font = "12px system-ui, sans-serif";
    const right = this.right(), left = right - this.span;
    if (!this.fields.length) return;
    const each = (high - 22) / this.fields.length;
    this.fields.forEach((field, n) => {
      const top = n * each + 18, bottom = (n + 1) * each - 6;
      this.lane(g, field, COLOURS[n % COLOURS.length], colour, { left, right, top, bottom });
    });
    this.times(g, colour, left, right, high);
  }

  x(time, left) { return this.margin + (time - left) / this.span * this.width(); }

  times(g, colour, left, right, high) {
    const by = step(this.span, this.width() / 90);
    const digits = Math.max(0, -Math.floor(Math.log10(by)));
    g.fillStyle = colour("--dim");
    g.textAlign = "center";
    g.textBaseline = "bottom";
    for (let time = Math.ceil(left / by) * by; time <= right; time += by) {
      const date = new Date(time * 1000);
      const seconds = (date.getSeconds() + date.getMilliseconds() / 1000).toFixed(digits);
      const two = (number) => String(number).padStart(2, "0");
      const text = `${two(date.getHours())}:${two(date.getMinutes())}:${seconds.padStart(digits ? digits + 3 : 2, "0")}`;
      const x = this.x(time, left);
      if (x > this.margin + 20 && x < this.margin + this.width() - 20) g.fillText(text, x, high - 2);
    }
  }

  lane(g, field, line, colour, { left, right, top, bottom }) {
    const { samples } = field, first = Math.max(samples.from(left) - 1, 0);
    const last = Math.min(samples.from(right) + 1, samples.count);
    let low = Infinity, up = -Infinity;
    for (let n = first; n < last; n++) {
      const value = samples.value(n);
      if (value < low) low = value;
      if (value > up) up = value;
    }
    if (low > up) [low, up] = [0, 1];
    const pad = (up - low || Math.abs(up) || 1) * 0.06;
    [low, up] = [low - pad, up + pad];
    const y = (value) => bottom - (value - low) / (up - low) * (bottom - top);
    const end = this.margin + this.width();
    g.strokeStyle = colour("--line");
    g.fillStyle = colour("--dim");
    g.textAlign = "right";
    g.textBaseline = "middle";
    g.lineWidth = 1;
    g.beginPath();
    const by = step(up - low, (bottom - top) / 34);
    for (let value = Math.ceil(low / by) * by; value <= up; value += by) {
      g.moveTo(this.margin, Math.round(y(value)) + 0.5);
      g.lineTo(end, Math.round(y(value)) + 0.5);
      g.fillText(short(Math.abs(value) < by / 2 ? 0 : +value.toPrecision(7)), this.margin - 6, y(value));
    }
    g.stroke();
    g.save();
    g.beginPath();
    g.rect(this.margin, top - 1, this.width(), bottom - top + 2);
    g.clip();
    g.strokeStyle = line;
    g.lineWidth = 1.5;
    this.curve(g, samples, first, last, left, y);
    if (last > 0 && last === samples.count) {
      // What was sent last holds until something else is.
      g.globalAlpha = 0.4;
      g.beginPath();
      g.moveTo(this.x(samples.time(last - 1), left), y(samples.value(last - 1)));
      g.lineTo(end, y(samples.value(last - 1)));
      g.stroke();
    }
    g.restore();
    let told = field.unit ? `${field.name} [${field.unit}]` : field.name;
    const under = this.under(samples, left);
    if (under) told += `   ${short(under.value)}`;
    g.fillStyle = line;
    g.textAlign = "left";
    g.textBaseline = "bottom";
    g.fillText(told, this.margin, top - 2);
    if (this.cursor !== null && this.cursor >= this.margin && this.cursor <= end) {
      g.strokeStyle = colour("--dim");
      g.beginPath();
      g.moveTo(this.cursor + 0.5, top);
      g.lineTo(this.cursor + 0.5, bottom);
      g.stroke();
    }
  }

  /** The curve; where there are more samples than pixels, the lowest and the highest of each column. */
  curve(g, samples, first, last, left, y) {
    g.beginPath();
    let column = null, low = 0, up = 0, out = 0, is_on = false;
    const put = () => {
      if (column === null) return;
      g.lineTo(column, y(low));
      if (up !== low) g.lineTo(column, y(up));
      if (out !== up) g.lineTo(column, y(out));
    };
    const dense = last - first > 2 * this.width();
    for (let n = first; n < last; n++) {
      const value = samples.value(n);
      if (!Number.isFinite(value)) { put(); column = null; is_on = false; continue; }
      const x = this.x(samples.time(n), left);
      if (!is_on) { g.moveTo(x, y(value)); is_on = true; }
      if (!dense) { g.lineTo(x, y(value)); continue; }
      const at = Math.round(x);
      if (at !== column) { put(); column = at; low = up = value; }
      low = Math.min(low, value);
      up = Math.max(up, value);
      out = value;
    }
    put();
    g.stroke();
  }

  under(samples, left) {
    if (this.cursor === null || this.cursor < this.margin) return null;
    const n = samples.from(left + (this.cursor - this.margin) / this.width() * this.span) - 1;
    return n >= 0 && n < samples.count ? { value: samples.value(n) } : null;
  }

  /** What is shown, as CSV: one line a sample. */
  csv() {
    const right = this.right(), left = right - this.span, lines = ["time_s,field,unit,value"];
    const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
    for (const { samples, name, unit } of this.fields) {
      for (let n = samples.from(left); n < samples.from(right); n++) {
        lines.push(`${samples.time(n).toFixed(6)},${quoted(name)},${quoted(unit || "")},${samples.value(n)}`);
      }
    }
    return lines.join("\n") + "\n";
  }
}
