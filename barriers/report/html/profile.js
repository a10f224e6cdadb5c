"use strict";

/** A drawn profile that reads out what is under the pointer, and marks an image. */
class ProfileChart {
  /**
   * @param {SVGSVGElement} svg the drawing
   * @param {object[]} data the page's barriers
   * @param {(text: string) => void} tell shows a reading, or nothing
   */
  constructor(svg, data, tell) {
    this.svg = svg;
    this.frame = JSON.parse(svg.dataset.frame);
    this.span = JSON.parse(svg.dataset.span);
    this.lines = JSON.parse(svg.dataset.lines).map(([number, name]) => ({ name, ...data[number].profile }));
    this.cross = svg.querySelector(".cross");
    svg.addEventListener("pointermove", (event) => tell(this.read(event)));
    svg.addEventListener("pointerleave", () => {
      this.cross.setAttribute("visibility", "hidden");
      tell("");
    });
  }

  /** Path length (Å) under the pointer. */
  distance(event) {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    const { left, right, width } = this.frame;
    const share = (place.x - left) / (width - left - right);
    return Math.min(1, Math.max(0, share)) * this.span.distance[1];
  }

  read(event) {
    const { left, right, width } = this.frame;
    const distance = this.distance(event);
    const x = left + ((width - left - right) * distance) / this.span.distance[1];
    this.cross.setAttribute("visibility", "visible");
    this.cross.setAttribute("transform", `translate(${x} 0)`);
    const energies = this.lines
      .filter((line) => distance <= line.curve_distance.at(-1) + 1e-6)
      .map((line) => (this.lines.length > 1 ? `${line.name} ` : "") + `${electronvolts(this.energy(line, distance))} eV`);
    return `${distance.toFixed(2)} Å: ${energies.join(", ")}`;
  }

  energy({ curve_distance: across, curve_energy: up }, distance) {
    const place = (distance / across.at(-1)) * (across.length - 1); // the curve's points are evenly spaced
    const before = Math.min(Math.floor(place), across.length - 2);
    return up[before] + (place - before) * (up[before + 1] - up[before]);
  }

  /** Number of the image nearest to the pointer along the path. */
  nearest(event) {
    const distance = this.distance(event);
    const gaps = this.lines[0].distances.map((place) => Math.abs(place - distance));
    return gaps.indexOf(Math.min(...gaps));
  }

  mark(index) {
    this.svg.querySelectorAll(".image").forEach((image, number) => image.classList.toggle("current", number === index));
  }
}

/** An energy as the tables write it, with a minus sign of its own. */
function electronvolts(value) {
  const text = value.toFixed(3);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}
