"use strict";

/** Run a script that stands in the page as text, once: the large one is not needed before something is drawn with it. */
function run(id) {
  const held = document.getElementById(id);
  if (!held) return;
  const script = document.createElement("script");
  script.textContent = held.textContent;
  held.replaceWith(script);
}

/** A 3-D view, its slider and its buttons. Subclasses say what the slider chooses. */
class Panel {
  /**
   * @param {HTMLElement} section what holds all of them
   * @param {object} scene what the viewer draws
   * @param {number} last the slider's last index
   */
  constructor(section, scene, last) {
    this.section = section;
    this.scene = scene;
    this.last = last;
    this.stage = section.querySelector(".stage");
    this.slider = section.querySelector("input[type=range]");
    this.stage.addEventListener("keydown", (event) => this.turn(event) || this.step(event));
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value)));
    for (const button of section.querySelectorAll("button[data-does]")) {
      button.addEventListener("click", () => this.does(button.dataset.does));
    }
  }

  show(index) {
    this.index = Math.min(this.last, Math.max(0, index));
    this.slider.value = this.index;
    const words = this.words();
    this.section.querySelector(".now").textContent = words;
    this.slider.setAttribute("aria-valuetext", words);
    this.viewer?.draw(this.index);
  }

  /** Keys that move the slider; true if this was one. */
  step(event) {
    const goal = { ArrowLeft: this.index - 1, ArrowRight: this.index + 1, Home: 0, End: this.last }[event.key];
    if (goal === undefined || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
    event.preventDefault();
    this.show(goal);
    return true;
  }

  /** Keys that do what a button does; true if this was one. */
  turn(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const turned = event.shiftKey && { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
    const other = { "+": "closer", "=": "closer", "-": "farther", s: "side", t: "top", " ": "play" }[event.key];
    const does = turned || other;
    if (!this.section.querySelector(`button[data-does=${does}]`)) return false;
    event.preventDefault();
    this.does(does);
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

  /** Make the viewer, when the panel first comes into sight. All viewers share one WebGL context. */
  open() {
    if (this.viewer || this.stage.classList.contains("missing")) return;
    const pointed = this.section.querySelector(".pointed");
    try {
      run("library");
      this.viewer = this.make((text) => (pointed.textContent = text));
    } catch {
      this.stage.classList.add("missing");
      this.stage.textContent = `The 3-D view needs WebGL, which this browser does not offer. ${this.instead()}`;
    }
  }

  /** Put a picture in the viewer's place, since printers know no WebGL. */
  print() {
    this.open();
    if (this.viewer) this.section.querySelector(".still").src = this.viewer.picture();
  }
}

/** A density difference. The slider chooses the level of its surfaces. */
class DensityPanel extends Panel {
  static BOHR = 0.529177; // Å

  constructor(figure, scene) {
    super(figure, scene, scene.levels.length - 1);
    this.show(scene.level);
  }

  does(what) {
    if (what === "charges") this.colour();
    else super.does(what);
  }

  /** Colour atoms by their charges, with the scale, or by their elements again. */
  colour() {
    const button = this.section.querySelector("button[data-does=charges]");
    this.charged = !this.charged;
    button.setAttribute("aria-pressed", String(this.charged));
    this.section.querySelector(".scale").hidden = !this.charged;
    if (this.viewer) this.viewer.charged = this.charged;
    this.viewer?.draw(this.index);
  }

  words() {
    const level = this.scene.levels[this.index];
    return `Δρ = ±${level.toPrecision(2)} e/Å³ (${(level * DensityPanel.BOHR ** 3).toPrecision(2)} e/bohr³)`;
  }

  make(tell) {
    const viewer = new DensityViewer(this.stage, this.scene, this.index, tell);
    viewer.charged = this.charged;
    if (this.charged) viewer.draw(this.index);
    return viewer;
  }

  instead() {
    this.section.querySelector("details").open = true;
    return "The picture below shows one level.";
  }
}
