"use strict";

/** A band in three dimensions. Draws one image at a time with 3Dmol.js. */
class BandViewer {
  static MOVING = "#d55e00";
  static SMALLEST = 0.22; // atoms of a fragment, as parts of their drawn radius, so that bonds show

  /**
   * @param {HTMLElement} host where to draw
   * @param {object} scene what `scene.py` gives
   * @param {(text: string) => void} tell says which atom is under the pointer, or nothing
   */
  constructor(host, scene, tell) {
    this.host = host;
    this.scene = scene;
    this.tell = tell;
    this.drawn = -1;
    this.viewer = $3Dmol.createViewer(host, { antialias: true, orthographic: true, disableFog: true });
    if (!this.viewer) throw new Error("no WebGL");
    this.draw(0);
    this.viewer.zoomTo();
    this.viewer.zoom(1.25);
    this.home = this.viewer.getView();
    this.face("side");
  }

  /** Draw an image; also after the page's colours have changed. */
  draw(index) {
    const { elements, images, bonds, roles } = this.scene;
    const [view, background] = [this.viewer, this.colour("--stage")];
    const partners = elements.map(() => []);
    for (const [one, other] of bonds[index]) {
      partners[one].push(other);
      partners[other].push(one);
    }
    const atoms = elements.map((elem, serial) => {
      const [x, y, z] = images[index].slice(3 * serial, 3 * serial + 3);
      const orders = partners[serial].map(() => 1);
      return { elem, serial, x, y, z, role: roles[serial], bonds: partners[serial], bondOrder: orders };
    });
    view.removeAllModels();
    view.removeAllShapes();
    view.setBackgroundColor(background, 1);
    const model = view.addModel();
    model.addAtoms(atoms);
    for (const role of ["slab", "frozen", "fragment", "moving"]) {
      for (const elem of Object.keys(this.scene.looks)) model.setStyle({ role, elem }, this.style(role, elem, background));
    }
    view.setHoverable({}, true, (atom) => this.tell(this.describe(atom.serial)), () => this.tell(""));
    this.drawPath();
    for (const [start, end] of this.scene.edges) view.addLine({ ...this.line(start, end), color: this.colour("--edge") });
    view.setViewStyle({ style: "outline", color: this.colour("--outline"), width: 0.035 });
    view.render();
    this.drawn = index;
  }

  style(role, elem, background) {
    const { colour, radius } = this.scene.looks[elem];
    if (role === "moving") return { sphere: { radius: radius * 1.15, color: BandViewer.MOVING } };
    if (role === "frozen") return { sphere: { radius: radius * 0.6, color: this.faded(colour, background) } };
    if (role === "slab") return { sphere: { radius, color: colour }, stick: { radius: 0.13, color: colour } };
    return { sphere: { radius: Math.max(radius * 0.75, BandViewer.SMALLEST), color: colour }, stick: { radius: 0.15, color: colour } };
  }

  /** Mark where the moving ion stands in every image. */
  drawPath() {
    const places = this.scene.images.map((image) => image.slice(3 * this.scene.moving, 3 * this.scene.moving + 3));
    for (const [x, y, z] of places) {
      this.viewer.addSphere({ center: { x, y, z }, radius: 0.22, color: BandViewer.MOVING });
    }
    places.slice(1).forEach((place, before) => {
      const look = { radius: 0.08, color: BandViewer.MOVING, fromCap: 1, toCap: 1 };
      this.viewer.addCylinder({ ...this.line(places[before], place), ...look });
    });
  }

  line([x, y, z], [u, v, w]) {
    return { start: { x, y, z }, end: { x: u, y: v, z: w } };
  }

  describe(serial) {
    const role = this.scene.roles[serial];
    return `${this.scene.elements[serial]} ${serial}, ${role === "moving" ? "the moving ion" : role}`;
  }

  /** Look along the surface with the jump from left to right ("side"), or down onto it ("top"). */
  face(way) {
    const [turn, tilt] = [(-this.scene.turn * Math.PI) / 360, ((way === "top" ? 0 : -80) * Math.PI) / 360];
    const [sx, cx, sz, cz] = [Math.sin(tilt), Math.cos(tilt), Math.sin(turn), Math.cos(turn)];
    this.viewer.setView([...this.home.slice(0, 4), sx * cz, -sx * sz, cx * sz, cx * cz]);
  }

  turn(across, up) {
    if (across) this.viewer.rotate(across, "vy");
    if (up) this.viewer.rotate(up, "vx");
  }

  zoom(factor) {
    this.viewer.zoom(factor);
  }

  /** A picture of what is seen, as a PNG. */
  picture() {
    return this.viewer.pngURI();
  }

  resize() {
    this.viewer.resize();
  }

  /** Give the WebGL context back: browsers keep only a few of them. */
  close() {
    const canvas = this.host.querySelector("canvas");
    const context = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    this.host.replaceChildren();
  }

  colour(name) {
    return getComputedStyle(this.host).getPropertyValue(name).trim();
  }

  faded(colour, background) {
    const part = (text, at) => parseInt(text.slice(at, at + 2), 16);
    const mix = [1, 3, 5].map((at) => Math.round(0.4 * part(colour, at) + 0.6 * part(background, at)));
    return `#${mix.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  }
}
