"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const DENSITIES = JSON.parse(document.getElementById("densities").textContent);
const NETWORK = JSON.parse(document.getElementById("network").textContent);
const SECONDS_PER_IMAGE = 0.5;

/** One system: its profile, its viewer, and the image that both show. */
class BandPanel extends Panel {
  constructor(section) {
    const { scene, profile } = DATA[Number(section.dataset.barrier)];
    super(section, scene, scene.images.length - 1);
    this.profile = profile;
    this.playing = null;
    const reading = section.querySelector(".reading");
    const svg = section.querySelector("svg.profile");
    this.chart = svg && new ProfileChart(svg, DATA, (text) => (reading.textContent = text));
    svg?.addEventListener("click", (event) => this.show(this.chart.nearest(event)));
    svg?.addEventListener("keydown", (event) => this.step(event));
    this.show(0);
  }

  show(index) {
    super.show(index);
    this.chart?.mark(this.index);
  }

  words() {
    const energy = this.profile && `${electronvolts(this.profile.energies[this.index])} eV at ${this.profile.distances[this.index].toFixed(2)} Å`;
    return `${this.scene.names[this.index]} (${this.index + 1} of ${this.last + 1})${energy ? `: ${energy}` : ""}`;
  }

  /** Run to and fro along the band, or stop. */
  play() {
    const button = this.section.querySelector("button[data-does=play]");
    clearTimeout(this.playing);
    this.playing = this.playing ? null : this.soon();
    this.forth = this.index < this.last;
    button.setAttribute("aria-pressed", String(Boolean(this.playing)));
    button.textContent = this.playing ? "Pause" : "Play";
    this.section.querySelector(".now").setAttribute("aria-live", this.playing ? "off" : "polite");
  }

  /** Advance in a while, again and again: a slow machine has time for all else between two images. */
  soon() {
    return setTimeout(() => {
      this.advance();
      this.playing = this.soon();
    }, 1000 * SECONDS_PER_IMAGE);
  }

  advance() {
    if (this.index === (this.forth ? this.last : 0)) this.forth = !this.forth;
    this.show(this.index + (this.forth ? 1 : -1));
  }

  make(tell) {
    return new BandViewer(this.stage, this.scene, this.index, tell);
  }

  instead() {
    return "The profile works without it.";
  }
}

/** All hops of a crystal; the slider shows one of them alone. */
class HopsPanel extends Panel {
  constructor(section) {
    super(section, NETWORK, NETWORK.hops.length);
    this.show(0);
  }

  words() {
    return this.index ? NETWORK.hops[this.index - 1].words : this.last > 1 ? `all ${this.last} hops` : NETWORK.hops[0].words;
  }

  make(tell) {
    return new HopsViewer(this.stage, this.scene, this.index, tell);
  }

  instead() {
    return "The list below names the hops.";
  }
}

const overview = [...document.querySelectorAll("figure.overlay")];
for (const figure of overview) {
  const reading = figure.querySelector(".reading");
  new ProfileChart(figure.querySelector("svg"), DATA, (text) => (reading.textContent = text));
}
const bands = [...document.querySelectorAll("section[data-barrier]")].map((section) => new BandPanel(section));
const densities = [...document.querySelectorAll("figure[data-density]")].map((figure) => new DensityPanel(figure, DENSITIES[Number(figure.dataset.density)]));
const hops = [...document.querySelectorAll("figure[data-hops]")].map((figure) => new HopsPanel(figure));
const panels = [...hops, ...bands, ...densities];
const seen = new IntersectionObserver(
  (changes) => changes.filter((change) => change.isIntersecting).forEach(({ target }) => panels.find((panel) => panel.section === target).open()),
  { rootMargin: "200px" },
);
panels.forEach((panel) => seen.observe(panel.section));
const repaint = () => panels.forEach((panel) => panel.viewer?.draw(panel.index));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
addEventListener("resize", () => panels.forEach((panel) => panel.viewer?.resize()));
addEventListener("beforeprint", () => panels.forEach((panel) => panel.print()));
