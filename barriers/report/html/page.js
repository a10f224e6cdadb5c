"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const SECONDS_PER_IMAGE = 0.5;

/** One system: its profile, its viewer, and the image that both show. */
class Panel {
  constructor(section) {
    this.number = Number(section.dataset.barrier);
    const { scene, profile } = DATA[this.number];
    this.scene = scene;
    this.profile = profile;
    this.index = 0;
    this.section = section;
    this.stage = section.querySelector(".stage");
    this.slider = section.querySelector("input[type=range]");
    this.playing = null;
    const reading = section.querySelector(".reading");
    const svg = section.querySelector("svg.profile");
    this.chart = svg && new ProfileChart(svg, DATA, (text) => (reading.textContent = text));
    svg?.addEventListener("click", (event) => this.show(this.chart.nearest(event)));
    svg?.addEventListener("keydown", (event) => this.step(event));
    this.stage.addEventListener("keydown", (event) => this.turn(event) || this.step(event));
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value)));
    for (const button of section.querySelectorAll("button[data-does]")) {
      button.addEventListener("click", () => this.does(button.dataset.does));
    }
    this.show(0);
  }

  get last() {
    return this.scene.images.length - 1;
  }

  show(index) {
    this.index = Math.min(this.last, Math.max(0, index));
    this.slider.value = this.index;
    const energy = this.profile && `${electronvolts(this.profile.energies[this.index])} eV at ${this.profile.distances[this.index].toFixed(2)} Å`;
    const words = `${this.scene.names[this.index]} (${this.index + 1} of ${this.last + 1})${energy ? `: ${energy}` : ""}`;
    this.section.querySelector(".now").textContent = words;
    this.slider.setAttribute("aria-valuetext", words);
    this.chart?.mark(this.index);
    this.viewer?.draw(this.index);
  }

  /** Keys that step through the band; true if this was one. */
  step(event) {
    const goal = { ArrowLeft: this.index - 1, ArrowRight: this.index + 1, Home: 0, End: this.last }[event.key];
    if (goal === undefined || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
    event.preventDefault();
    this.show(goal);
    return true;
  }

  /** Keys that turn, zoom and play; true if this was one. */
  turn(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const turned = event.shiftKey && { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
    const other = { "+": "closer", "=": "closer", "-": "farther", s: "side", t: "top", " ": "play" }[event.key];
    if (!turned && !other) return false;
    event.preventDefault();
    this.does(turned || other);
    return true;
  }

  does(what) {
    const view = this.viewer;
    const acts = {
      back: () => this.show(this.index - 1),
      on: () => this.show(this.index + 1),
      play: () => this.play(),
      left: () => view?.turn(-10, 0),
      right: () => view?.turn(10, 0),
      up: () => view?.turn(0, -10),
      down: () => view?.turn(0, 10),
      closer: () => view?.zoom(1.2),
      farther: () => view?.zoom(1 / 1.2),
      side: () => view?.face("side"),
      top: () => view?.face("top"),
    };
    acts[what]();
  }

  /** Run to and fro along the band, or stop. */
  play() {
    const button = this.section.querySelector("button[data-does=play]");
    clearInterval(this.playing);
    this.playing = this.playing ? null : setInterval(() => this.advance(), 1000 * SECONDS_PER_IMAGE);
    this.forth = this.index < this.last;
    button.setAttribute("aria-pressed", String(Boolean(this.playing)));
    button.textContent = this.playing ? "Pause" : "Play";
    this.section.querySelector(".now").setAttribute("aria-live", this.playing ? "off" : "polite");
  }

  advance() {
    if (this.index === (this.forth ? this.last : 0)) this.forth = !this.forth;
    this.show(this.index + (this.forth ? 1 : -1));
  }

  /** Make the viewer, when the panel first comes into sight. All viewers share one WebGL context. */
  open() {
    if (this.viewer || this.stage.classList.contains("missing")) return;
    const pointed = this.section.querySelector(".pointed");
    try {
      this.viewer = new BandViewer(this.stage, this.scene, this.index, (text) => (pointed.textContent = text));
    } catch {
      this.stage.classList.add("missing");
      this.stage.textContent = "The 3-D view needs WebGL, which this browser does not offer. The profile works without it.";
    }
  }

  /** Put a picture in the viewer's place, since printers know no WebGL. */
  print() {
    this.open();
    if (this.viewer) this.section.querySelector(".still").src = this.viewer.picture();
  }
}

const overview = [...document.querySelectorAll("figure.overlay")];
for (const figure of overview) {
  const reading = figure.querySelector(".reading");
  new ProfileChart(figure.querySelector("svg"), DATA, (text) => (reading.textContent = text));
}
const panels = [...document.querySelectorAll("section[data-barrier]")].map((section) => new Panel(section));
const seen = new IntersectionObserver(
  (changes) => changes.filter((change) => change.isIntersecting).forEach(({ target }) => panels.find((panel) => panel.section === target).open()),
  { rootMargin: "200px" },
);
panels.forEach((panel) => seen.observe(panel.section));
const repaint = () => panels.forEach((panel) => panel.viewer?.draw(panel.index));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
addEventListener("resize", () => panels.forEach((panel) => panel.viewer?.resize()));
addEventListener("beforeprint", () => panels.forEach((panel) => panel.print()));
