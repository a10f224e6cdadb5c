"use strict";

/** A function on a grid, and the surfaces on which it has a level. 3Dmol's own lie on points of the grid, not between. */
class Volume {
  static CORNERS = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => [corner >> 2, (corner >> 1) & 1, corner & 1]);
  static ENDS = [[0, 1], [1, 3], [2, 3], [0, 2], [4, 5], [5, 7], [6, 7], [4, 6], [0, 4], [1, 5], [3, 7], [2, 6]]; // of edges in 3Dmol's table

  /** @param {object} kept what `volume.py` gives */
  constructor({ values, step, shape, origin, vectors, span }) {
    const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
    const [whole, view] = [[...span, [0, shape[2] - 1]], new DataView(bytes.buffer)];
    this.size = whole.map(([low, high]) => high - low + 1);
    this.vectors = vectors;
    this.origin = this.move(origin, whole.map(([low]) => low));
    this.values = new Float32Array(this.size[0] * this.size[1] * this.size[2]);
    const inside = (index, axis) => (((index + whole[axis][0]) % shape[axis]) + shape[axis]) % shape[axis];
    for (let n = 0; n < this.values.length; n++) {
      const [i, j, k] = this.indices(n).map(inside);
      this.values[n] = step * view.getInt16(2 * ((i * shape[1] + j) * shape[2] + k), true);
    }
  }

  /** Indices of the n-th value along the three vectors. */
  indices(n) {
    const [, rows, columns] = this.size;
    return [Math.floor(n / (rows * columns)), Math.floor(n / columns) % rows, n % columns];
  }

  move(place, steps) {
    return place.map((start, axis) => start + steps.reduce((sum, count, which) => sum + count * this.vectors[which][axis], 0));
  }

  /** Triangles of the surface beyond which the function is higher; lower where the level is negative. */
  surface(level) {
    const [planes, rows, columns] = this.size;
    const [sign, vertexArr, faceArr, known] = [Math.sign(level), [], [], new Map()];
    const offsets = Volume.CORNERS.map(([i, j, k]) => (i * rows + j) * columns + k);
    const above = (n) => sign * (this.values[n] - level);
    const vertex = (one, other) => {
      const key = one * this.values.length + other;
      if (!known.has(key)) {
        const part = above(one) / (above(one) - above(other));
        const [start, end] = [this.indices(one), this.indices(other)];
        const [x, y, z] = this.move(this.origin, start.map((index, axis) => index + part * (end[axis] - index)));
        known.set(key, vertexArr.push({ x, y, z }) - 1);
      }
      return known.get(key);
    };
    const cell = (first) => {
      const code = offsets.reduce((bits, offset, corner) => bits | ((above(first + offset) > 0) << corner), 0);
      for (const edge of $3Dmol.MarchingCube.triTable2[code]) {
        const [one, other] = Volume.ENDS[edge];
        faceArr.push(vertex(first + offsets[one], first + offsets[other]));
      }
    };
    for (let i = 0; i < planes - 1; i++) {
      for (let j = 0; j < rows - 1; j++) {
        for (let k = 0; k < columns - 1; k++) cell((i * rows + j) * columns + k);
      }
    }
    return { vertexArr, faceArr, normalArr: [] };
  }
}

/** A density difference: the atoms of an interface, and where it gains and loses electrons. */
class DensityViewer extends AtomsViewer {
  static OPAQUE = 0.85;

  image() {
    return 0;
  }

  /** Draw both surfaces at a level, and the atoms in the colours of their charges where that is asked for. */
  add(index) {
    if (this.charged) this.colourAtoms(this.viewer.getModel());
    this.volume ??= new Volume(this.scene.volume);
    const level = this.scene.levels[index];
    for (const [value, color] of [[level, this.scene.gain], [-level, this.scene.loss]]) {
      const surface = this.volume.surface(value);
      if (surface.faceArr.length) this.viewer.addCustom({ ...surface, color, opacity: DensityViewer.OPAQUE });
    }
  }

  colourAtoms(model) {
    const { elements, roles, charges } = this.scene;
    elements.forEach((elem, serial) => {
      const style = this.style(roles[serial], elem, this.colour("--stage"));
      for (const part of Object.values(style)) part.color = charges.colours[serial];
      model.setStyle({ serial }, style);
    });
  }

  describe(serial) {
    return `${super.describe(serial)}, Bader charge ${this.scene.charges.values[serial].toFixed(2)} e`;
  }
}
