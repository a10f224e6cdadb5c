/** Make an element. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** What is shown of a system and hop when its row is opened: jobs, forces, profile, last lines, and its band. */
export class Details {
  /**
   * @param {number} at number of the row
   * @param {number} columns of the table
   */
  constructor(at, columns) {
    this.at = at;
    this.tag = "";
    this.stamp = "";
    this.wanted = false; // whether the band is to be seen
    this.busy = this.changed = false; // whether it is being drawn, and has changed since
    this.plots = make("div", { class: "panels" });
    this.show = make("button", { type: "button" }, "Show the band");
    this.show.addEventListener("click", () => this.want());
    this.band = make("div", { class: "band" });
    this.said = make("p", { class: "quiet", role: "status" });
    this.jobs = make("table", { class: "jobs" });
    this.lines = make("pre", { tabindex: "0", "aria-label": "Last lines of its output" });
    this.where = make("p", { class: "quiet" });
    const inner = make("td", { colspan: columns }, this.plots, this.show, this.said, this.band, make("h3", {}, "Jobs"), make("div", { class: "wide" }, this.jobs), make("h3", {}, "Last lines"), this.where, this.lines);
    this.element = make("tr", { class: "details" }, inner);
  }

  /** Ask for what is known now. */
  async renew() {
    const response = await fetch(`hop?row=${this.at}`, { headers: { "If-None-Match": this.tag } });
    if (response.status === 200) {
      this.tag = response.headers.get("ETag");
      this.tell(await response.json());
    }
    if (this.wanted && this.changed) this.draw(); // also what changed while it was being drawn
  }

  tell(told) {
    const headings = ["Job", "State", "Time", "Queue", "Host", "Folder", "Last words"];
    const line = (kind, cells) => make("tr", {}, ...cells.map((text) => make(kind, kind === "th" ? { scope: "col" } : {}, text)));
    this.jobs.replaceChildren(make("thead", {}, line("th", headings)), make("tbody", {}, ...told.jobs.map((cells) => line("td", cells))));
    const drawn = [];
    if (told.forces.length) drawn.push(figure(plot(told.forces, { across: "Iteration", up: "Largest force (eV/Å)", goal: told.target, logarithmic: true, marks: false }), `${told.job}: largest force ${told.forces.at(-1)[1].toFixed(3)} eV/Å${told.target ? `, goal ${told.target}` : ""}.`));
    if (told.profile) drawn.push(figure(plot(transposed(told.profile), { across: "Path length (Å)", up: "Energy (eV)", marks: true }), `Profile as it is now: highest image ${Math.max(...told.profile[1]).toFixed(3)} eV.`));
    this.plots.replaceChildren(...drawn);
    this.lines.textContent = told.lines.join("\n");
    this.lines.hidden = !told.lines.length;
    this.where.textContent = told.where;
    this.show.hidden = this.wanted || !told.has_band;
    if (told.stamp !== this.stamp) this.changed = true;
    this.stamp = told.stamp;
  }

  want() {
    this.wanted = true;
    this.show.hidden = true;
    this.said.textContent = "Drawing the band: a moment the first time …";
    this.draw();
  }

  /** Draw the band as it is now, unless that is being done; nothing else of the page waits for it. */
  async draw() {
    if (this.busy) return;
    [this.busy, this.changed] = [true, false];
    try {
      await this.drawn();
    } catch {
      [this.said.textContent, this.changed] = ["The band cannot be had now.", true];
    }
    this.busy = false;
  }

  /** Draw it anew, or renew what is drawn: who turned it finds it as it was. */
  async drawn() {
    const response = await fetch(`band?row=${this.at}`);
    const { html, data, reason } = response.ok ? await response.json() : { reason: "it cannot be had now" };
    this.said.textContent = reason ? `No band: ${reason}.` : "";
    if (reason) return;
    await views();
    const fresh = make("div");
    fresh.innerHTML = html;
    const section = fresh.querySelector("section");
    if (this.panel && alike(this.panel, section, data)) {
      renewPanel(this.panel, section, data);
      return;
    }
    const place = this.panel?.index ?? 0;
    this.band.replaceChildren(section);
    this.panel = section.dataset.barrier ? newPanel(section, data, place) : null;
  }
}

function figure(svg, words) {
  return make("figure", {}, svg, make("figcaption", {}, words));
}

const transposed = ([across, up]) => across.map((value, at) => [value, up[at]]);

/** Load library and scripts of the report once, when the first band is to be seen. */
let loading = null;
function views() {
  loading ??= new Promise((ready, failed) => {
    const script = make("script", { src: "views.js" });
    script.onload = ready;
    script.onerror = () => {
      loading = null;
      failed();
    };
    document.head.append(script);
  });
  return loading;
}

/** The report's own panel of a band, on a section that has just come. */
function newPanel(section, data, index) {
  DATA[0] = data;
  const panel = new BandPanel(section);
  panels.splice(0, panels.length, panel); // they are drawn anew when colours or window change
  panel.open();
  panel.show(Math.min(index, panel.last));
  return panel;
}

/** Whether a section shows the same things as that of a panel, with other numbers. */
function alike(panel, section, data) {
  const charts = Boolean(panel.chart) === Boolean(section.querySelector("svg.profile"));
  return charts && panel.viewer && data.scene?.names.length === panel.scene.names.length;
}

/** Put the numbers of a section into the panel that is there: its view stays turned, and who is at its keys stays there. */
function renewPanel(panel, section, data) {
  DATA[0] = data;
  panel.scene = panel.viewer.scene = data.scene;
  panel.profile = data.profile;
  const [before, svg] = [panel.section.querySelector("svg.profile"), section.querySelector("svg.profile")];
  if (svg) {
    const focused = document.activeElement === before;
    before.replaceWith(svg);
    const reading = panel.section.querySelector(".reading");
    panel.chart = new ProfileChart(svg, DATA, (text) => (reading.textContent = text));
    svg.addEventListener("click", (event) => panel.show(panel.chart.nearest(event)));
    svg.addEventListener("keydown", (event) => panel.step(event));
    if (focused) svg.focus();
  }
  const views = panel.section.querySelector(".panels");
  const others = (parent) => [...parent.children].filter((child) => !child.matches(".panels"));
  const after = section.querySelector(".panels");
  others(panel.section).forEach((child) => child.remove());
  for (const child of others(section)) {
    if (after.compareDocumentPosition(child) & Node.DOCUMENT_POSITION_PRECEDING) views.before(child);
    else panel.section.append(child);
  }
  panel.show(panel.index);
}

/** A curve through points on axes of its own. */
function plot(points, { across, up, goal, logarithmic = false, marks }) {
  const [width, height, left, right, top, bottom] = [520, 250, 58, 12, 12, 40];
  const scale = logarithmic ? Math.log10 : (value) => value;
  const kept = points.filter(([, y]) => !logarithmic || y > 0);
  const heights = [...kept.map(([, y]) => scale(y)), ...(goal ? [scale(goal)] : [])];
  const far = Math.max(...kept.map(([x]) => x), 1e-9);
  let [low, high] = [Math.min(...heights), Math.max(...heights)];
  const room = 0.08 * Math.max(high - low, 0.02);
  [low, high] = [low - room, high + room];
  const x = (value) => left + ((width - left - right) * value) / far;
  const y = (value) => top + ((height - top - bottom) * (high - scale(value))) / (high - low);
  const svg = shape("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${up} over ${across.toLowerCase()}` });
  for (const value of ticks(low, high, logarithmic)) {
    svg.append(shape("path", { class: "grid", d: `M${left} ${y(value)}H${width - right}` }), words(left - 8, y(value) + 4, "end", String(value).replace("-", "\u2212")));
  }
  for (const value of ticks(0, far, false)) svg.append(words(x(value), height - bottom + 18, "middle", String(value)));
  svg.append(shape("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }));
  if (goal) svg.append(shape("path", { class: "goal", d: `M${left} ${y(goal)}H${width - right}` }));
  svg.append(shape("path", { class: "curve", d: kept.map(([a, b], at) => `${at ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("") }));
  if (marks || kept.length < 3) svg.append(...kept.map(([a, b]) => shape("circle", { class: "mark", cx: x(a), cy: y(b), r: 4.5 })));
  svg.append(words((left + width - right) / 2, height - 4, "middle", across));
  const upright = words(0, 0, "middle", up);
  upright.setAttribute("transform", `translate(13 ${(top + height - bottom) / 2}) rotate(-90)`);
  svg.append(upright);
  return svg;
}

function shape(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function words(x, y, anchor, text) {
  const element = shape("text", { x, y, "text-anchor": anchor });
  element.textContent = text;
  return element;
}

/** Round values between two ends; of logarithms, the values themselves. */
function ticks(low, high, logarithmic) {
  if (logarithmic) {
    const all = [];
    for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) all.push(...[1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
    const inside = all.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
    const whole = inside.filter((value) => /^[01.]+$/.test(String(value)));
    return inside.length > 6 && whole.length > 1 ? whole : inside;
  }
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((digit) => digit * power >= rough);
  const all = [];
  for (let count = Math.ceil(low / step); count * step <= high + 1e-9; count += 1) all.push(Number((count * step).toPrecision(6)));
  return all;
}
