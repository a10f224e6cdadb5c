"use strict";

/** Atoms and cell in three dimensions, one image at a time, with 3Dmol.js. Subclasses add to it. */
class AtomsViewer {
  static MOVING = "#ffb000";
  static FROZEN = 0.75; // in radii of the slab's other atoms

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
    for (const length of ["getWidth", "getHeight"]) this.keep(length);
    this.place(this.image(index)); // atoms without a look cost nothing to turn and fit
    this.face("side");
    this.draw(index);
  }

  /** Let the library keep the size it had while its box is hidden: it would draw into nothing, and complain. */
  keep(length) {
    const read = this.viewer[length].bind(this.viewer);
    let last = read();
    this.viewer[length] = () => (last = read() || last);
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
    const { colour, radius, ball } = this.scene.looks[elem];
    const color = role === "moving" ? AtomsViewer.MOVING : role === "frozen" ? this.faded(colour, background) : colour;
    const size = role === "fragment" ? ball : role === "frozen" ? AtomsViewer.FROZEN * radius : radius;
    return { sphere: { radius: size, color }, stick: { radius: 0.12, color } };
  }

  line([x, y, z], [u, v, w]) {
    return { start: { x, y, z }, end: { x: u, y: v, z: w } };
  }

  describe(serial) {
    const role = this.scene.roles[serial];
    return `${this.scene.elements[serial]} ${serial}, ${role === "moving" ? "the moving ion" : role === "slab" ? this.scene.host : role}`;
  }

  /**
   * Look along the surface with the jump, or the page of side views, from left to right ("side"), or down onto it
   * ("top"), all in sight. The side view is a little aslant, since rows of a crystal would hide each other.
   */
  face(way) {
    const [slant, tilted] = way === "top" ? [0, 0] : [5, -84];
    const [turn, tilt] = [((slant - this.scene.turn) * Math.PI) / 360, (tilted * Math.PI) / 360];
    const [sx, cx, sz, cz] = [Math.sin(tilt), Math.cos(tilt), Math.sin(turn), Math.cos(turn)];
    const turned = [sx * cz, -sx * sz, cx * sz, cx * cz];
    const points = this.points();
    this.viewer.zoomTo({ predicate: () => true }); // without a selection, what else is drawn would count too
    const middle = this.middle(points, turned).map((place) => -place);
    this.viewer.setView([...middle, this.viewer.getView()[3], ...turned]);
    this.viewer.zoom(this.room(points));
  }

  /** What has to be in sight: atoms, corners of polyhedra beyond them, cell. */
  points() {
    const { elements, edges, images, polyhedra = [], hops = [] } = this.scene;
    const atoms = elements.map((_, serial) => images[0].slice(3 * serial, 3 * serial + 3));
    const beyond = polyhedra.flatMap(({ corners }) => corners.map(([atom, ...way]) => way.map((step, axis) => atoms[atom][axis] + step)));
    return [...atoms, ...beyond, ...edges.flat(), ...hops.flatMap(({ arrow }) => arrow)];
  }

  /** The middle of points as they are seen once turned by a quaternion, which turns about it. */
  middle(points, [x, y, z, w]) {
    const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];
    const spin = (place, sign) => {
      const axis = [sign * x, sign * y, sign * z];
      const once = cross(axis, place);
      const twice = cross(axis, once);
      return place.map((start, n) => start + 2 * (w * once[n] + twice[n]));
    };
    const seen = points.map((place) => spin(place, 1));
    return spin([0, 1, 2].map((axis) => [Math.min, Math.max].reduce((sum, end) => sum + end(...seen.map((place) => place[axis])) / 2, 0)), -1);
  }

  /** How much larger the points, in the middle of the stage, can be drawn before they leave it. */
  room(points) {
    const places = this.viewer.modelToScreen(points.map(([x, y, z]) => ({ x, y, z })));
    const { width, height } = this.host.getBoundingClientRect();
    const wide = (axis) => Math.max(...places.map((place) => place[axis])) - Math.min(...places.map((place) => place[axis]));
    return 0.9 * Math.min(width / wide("x"), height / wide("y"));
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

/** Atoms with the polyhedra of anions around cations. */
class CrystalViewer extends AtomsViewer {
  static POLYHEDRON = { slab: 0.35, frozen: 0.2 };

  /** Faces of each polyhedron, and its corners where they are periodic images. */
  addPolyhedra(index) {
    const { elements, looks, roles, images, polyhedra } = this.scene;
    const place = (atom, way = [0, 0, 0]) => {
      const [x, y, z] = way.map((step, axis) => images[index][3 * atom + axis] + step);
      return { x, y, z };
    };
    const [meshes, beyond] = [new Map(), new Map()];
    for (const { centre, corners, faces } of polyhedra) {
      const key = `${roles[centre]} ${elements[centre]}`;
      if (!meshes.has(key)) meshes.set(key, { vertexArr: [], faceArr: [], normalArr: [] });
      const { vertexArr, faceArr } = meshes.get(key);
      // Corners are not shared by faces, which keeps them flat.
      for (const face of faces) for (const corner of face) faceArr.push(vertexArr.push(place(corners[corner][0], corners[corner].slice(1))) - 1);
      for (const [atom, ...way] of corners) if (way.some(Boolean)) beyond.set(`${atom} ${way}`, [atom, way]);
    }
    for (const [key, mesh] of meshes) {
      const [role, elem] = key.split(" ");
      const color = looks[elem].colour;
      this.viewer.addCustom({ ...mesh, color, opacity: this.constructor.POLYHEDRON[role] });
    }
    for (const [atom, way] of beyond.values()) {
      const { sphere } = this.style(roles[atom], elements[atom], this.colour("--stage"));
      this.viewer.addSphere({ center: place(atom, way), ...sphere });
    }
  }
}

/** A band: its atoms, polyhedra, and the path of the moving ion with a ghost of it at the saddle. */
class BandViewer extends CrystalViewer {
  static GHOST = 0.45;

  add(index) {
    this.addPolyhedra(index);
    const places = this.scene.images.map((image) => image.slice(3 * this.scene.moving, 3 * this.scene.moving + 3));
    const points = places.map(([x, y, z]) => ({ x, y, z }));
    this.viewer.addCurve({ points, radius: 0.09, smooth: 8, color: AtomsViewer.MOVING });
    for (const center of points) this.viewer.addSphere({ center, radius: 0.14, color: AtomsViewer.MOVING });
    if (this.scene.saddle !== null && this.scene.saddle !== index) {
      const { radius } = this.scene.looks[this.scene.elements[this.scene.moving]];
      this.viewer.addSphere({ center: points[this.scene.saddle], radius, color: AtomsViewer.MOVING, opacity: BandViewer.GHOST });
    }
  }
}

/** A crystal with its hops: an arrow for each distinct one, thin lines for those like it. */
class HopsViewer extends CrystalViewer {
  static POLYHEDRON = { slab: 0.6 };

  /** The atoms are the same whichever hop is shown. */
  image() {
    return 0;
  }

  add(index) {
    this.addPolyhedra(0);
    const { elements, roles, hops, beyond } = this.scene;
    for (const [atom, x, y, z] of beyond) {
      const { sphere } = this.style(roles[atom], elements[atom], this.colour("--stage"));
      this.viewer.addSphere({ center: { x, y, z }, ...sphere });
    }
    const shown = index ? [hops[index - 1]] : hops;
    for (const { colour, arrow, ways } of shown) {
      for (const [start, end] of ways) this.viewer.addCylinder({ ...this.line(start, end), radius: 0.05, color: colour });
      this.viewer.addArrow({ ...this.line(...arrow), radius: 0.14, radiusRatio: 2.4, mid: 0.72, color: colour });
    }
  }
}
