"use strict";

/** Atoms and cell in three dimensions, one image at a time, with 3Dmol.js. Subclasses add to it. */
class AtomsViewer {
  static MOVING = "#d55e00";
  static SIZES = { moving: 1.1, slab: 0.62, frozen: 0.45, fragment: 0.55 }; // in drawn radii; none hides the jump

  /**
   * @param {HTMLElement} host where to draw
   * @param {object} scene what `scene.py` or `volume.py` gives
   * @param {number} index what to draw first
   * @param {(text: string) => void} tell says which atom is under the pointer, or nothing
   */
  constructor(host, scene, index, tell) {
    this.host = host;
    this.scene = scene;
    this.tell = tell;
    this.viewer = $3Dmol.createViewer(host, { antialias: true, orthographic: true, disableFog: true });
    if (!this.viewer) throw new Error("no WebGL");
    this.place(this.image(index)); // atoms without a look cost nothing to turn and fit
    this.face("side");
    this.draw(index);
  }

  /** The image that is seen at an index of the slider. */
  image(index) {
    return index;
  }

  /** Draw what is seen at an index of the slider; also after the page's colours have changed. */
  draw(index, background = this.colour("--stage")) {
    const view = this.viewer;
    const model = this.place(this.image(index));
    for (const role of ["slab", "frozen", "fragment", "moving"]) {
      for (const elem of Object.keys(this.scene.looks)) model.setStyle({ role, elem }, this.style(role, elem, background));
    }
    view.setHoverable({}, true, (atom) => this.tell(this.describe(atom.serial)), () => this.tell(""));
    this.add(index);
    for (const [start, end] of this.scene.edges) view.addLine({ ...this.line(start, end), color: this.colour("--edge") });
    view.setViewStyle({ style: "outline", color: this.colour("--outline"), width: 0.035 });
    if (background !== this.background) view.setBackgroundColor(background, 1);
    this.background = background;
    view.render();
    this.drawn = index;
  }

  /** Put the atoms of an image in the place of what was there. */
  place(index) {
    const { elements, images, bonds, roles } = this.scene;
    const partners = elements.map(() => []);
    for (const [one, other] of bonds[index]) {
      partners[one].push(other);
      partners[other].push(one);
    }
    this.viewer.removeAllModels();
    this.viewer.removeAllShapes();
    const model = this.viewer.addModel();
    const atoms = elements.map((elem, serial) => {
      const [x, y, z] = images[index].slice(3 * serial, 3 * serial + 3);
      const orders = partners[serial].map(() => 1);
      return { elem, serial, x, y, z, role: roles[serial], bonds: partners[serial], bondOrder: orders };
    });
    model.addAtoms(atoms);
    model.setStyle({}, {});
    return model;
  }

  style(role, elem, background) {
    const { colour, radius } = this.scene.looks[elem];
    const color = role === "moving" ? AtomsViewer.MOVING : role === "frozen" ? this.faded(colour, background) : colour;
    return { sphere: { radius: radius * AtomsViewer.SIZES[role], color }, stick: { radius: 0.14, color } };
  }

  line([x, y, z], [u, v, w]) {
    return { start: { x, y, z }, end: { x: u, y: v, z: w } };
  }

  describe(serial) {
    const role = this.scene.roles[serial];
    return `${this.scene.elements[serial]} ${serial}, ${role === "moving" ? "the moving ion" : role}`;
  }

  /**
   * Look along the surface with the jump, or the page of side views, from left to right ("side"), or down onto it ("top"), all in sight. The side
   * view is a little aslant, since rows of a crystal would hide each other.
   */
  face(way) {
    const [slant, tilted] = way === "top" ? [0, 0] : [10, -76];
    const [turn, tilt] = [((slant - this.scene.turn) * Math.PI) / 360, (tilted * Math.PI) / 360];
    const [sx, cx, sz, cz] = [Math.sin(tilt), Math.cos(tilt), Math.sin(turn), Math.cos(turn)];
    this.viewer.zoomTo({ predicate: () => true }); // without a selection, what else is drawn would count too
    this.viewer.setView([...this.viewer.getView().slice(0, 4), sx * cz, -sx * sz, cx * sz, cx * cz]);
    this.viewer.zoom(this.room());
  }

  /** How much larger the band can be drawn before it leaves the stage. */
  room() {
    const first = this.scene.images[0];
    const atoms = this.scene.elements.map((_, serial) => first.slice(3 * serial, 3 * serial + 3));
    const points = [...atoms, ...this.scene.edges.flat()].map(([x, y, z]) => ({ x, y, z }));
    const places = this.viewer.modelToScreen(points);
    const { left, top, width, height } = this.host.getBoundingClientRect();
    const farthest = (axis, middle) => Math.max(...places.map((place) => Math.abs(place[axis] - middle)));
    const across = width / 2 / farthest("x", left + scrollX + width / 2);
    return 0.92 * Math.min(across, height / 2 / farthest("y", top + scrollY + height / 2));
  }

  turn(across, up) {
    if (across) this.viewer.rotate(across, "vy");
    if (up) this.viewer.rotate(up, "vx");
  }

  zoom(factor) {
    this.viewer.zoom(factor);
  }

  /** A picture of what is seen, for paper: a PNG on white. */
  picture() {
    const index = this.drawn;
    this.draw(index, "#ffffff");
    const picture = this.viewer.pngURI();
    this.draw(index);
    return picture;
  }

  resize() {
    this.viewer.resize();
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

/** A band: its atoms, and the path of the moving ion. */
class BandViewer extends AtomsViewer {
  /** Mark where the moving ion stands in every image. */
  add() {
    const places = this.scene.images.map((image) => image.slice(3 * this.scene.moving, 3 * this.scene.moving + 3));
    for (const [x, y, z] of places) {
      this.viewer.addSphere({ center: { x, y, z }, radius: 0.22, color: AtomsViewer.MOVING });
    }
    places.slice(1).forEach((place, before) => {
      const look = { radius: 0.08, color: AtomsViewer.MOVING, fromCap: 1, toCap: 1 };
      this.viewer.addCylinder({ ...this.line(places[before], place), ...look });
    });
  }
}
