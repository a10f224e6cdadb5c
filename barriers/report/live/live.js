import { Details, make } from "./details.js";

const EVERY = 1000; // ms between two questions; while nobody looks at the page, ten times as many
const LABELLED = 3; // the first cells of a row say of what and how it is, and need no label on a phone
const page = Object.fromEntries(["said", "trouble", "share", "filter", "states", "shown", "hops", "log"].map((id) => [id, document.getElementById(id)]));
const rows = []; // by their number: the data of a row, and its elements
const seen = { revision: 0, headings: [], states: {}, jobs: 0, over: false, log: [], trouble: "" };
let only = ""; // the state that is shown alone
let open = null; // the row whose details are shown

/** Ask for what has changed, show it, and ask again. */
async function follow() {
  try {
    const response = await fetch(`state?since=${seen.revision}`);
    if (!response.ok) throw new Error(response.status);
    const told = await response.json();
    page.trouble.dataset.gone = "";
    if (told.revision !== seen.revision) take(told);
    if (open) await open.details?.renew();
  } catch {
    page.trouble.dataset.gone = "yes";
  }
  tell();
  setTimeout(follow, document.hidden || page.trouble.dataset.gone ? 10 * EVERY : EVERY);
}

function take(told) {
  Object.assign(seen, told);
  if (told.headings) head(told.headings);
  while (rows.length > told.total) remove(rows.pop());
  const added = document.createDocumentFragment();
  for (const [at, state, cells, reason] of told.rows) {
    rows[at] ??= { at, line: null };
    const row = rows[at];
    Object.assign(row, { state, cells, reason, text: [...cells, reason].join(" ").toLowerCase() });
    const isNew = !row.line;
    if (isNew) begin(row);
    fill(row);
    if (isNew) added.append(row.line, row.why);
  }
  page.hops.tBodies[0].append(added);
  if (rows.length && !performance.getEntriesByName("rows shown").length) performance.mark("rows shown");
  if (told.states) buttons(told.states);
  if (told.log) record(told.log);
  sift();
}

function head(headings) {
  page.hops.tHead.rows[0].replaceChildren(...headings.map((text, at) => make("th", { scope: "col", class: at < 4 ? "" : "number" }, text)));
}

function begin(row) {
  const button = make("button", { type: "button", class: "open", "aria-expanded": "false", tabindex: row.at === 0 ? "0" : "-1" });
  button.addEventListener("click", () => toggle(row));
  row.line = make("tr", {}, make("th", { scope: "row", class: "name" }, button));
  for (const [at, heading] of seen.headings.slice(1).entries()) {
    row.line.append(make("td", { class: at < 3 ? "name" : "number", ...(at + 1 >= LABELLED && { "data-label": heading }) }));
  }
  row.line.cells[2].classList.add("state");
  row.why = make("tr", { class: "reason" }, make("td", { colspan: seen.headings.length }));
}

function fill(row) {
  row.cells.forEach((text, at) => {
    const cell = at ? row.line.cells[at] : row.line.cells[0].firstChild;
    if (cell.textContent !== text) cell.textContent = text;
  });
  row.line.cells[2].dataset.state = row.state;
  row.why.cells[0].textContent = row.reason;
}

function remove(row) {
  if (open === row) toggle(row);
  row.line.remove();
  row.why.remove();
}

/** Hide the rows that are not asked for. */
function sift() {
  const words = page.filter.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const row of rows) {
    const fits = (!only || row.state === only) && words.every((word) => row.text.includes(word));
    row.line.hidden = !fits;
    row.why.hidden = !fits || !row.reason;
    if (row.details) row.details.element.hidden = !fits;
    shown += fits;
  }
  page.shown.textContent = shown < rows.length ? `${shown} of ${rows.length} shown` : "";
}

function buttons(states) {
  const rowsOf = {};
  for (const row of rows) rowsOf[row.state] = (rowsOf[row.state] ?? 0) + 1;
  const names = Object.keys({ ...states, ...rowsOf }).filter((name) => rowsOf[name]);
  if (only && !rowsOf[only]) only = "";
  const known = new Map([...page.states.children].map((button) => [button.dataset.state, button]));
  const now = names.map((name) => {
    const button = known.get(name) ?? make("button", { type: "button", "data-state": name });
    button.onclick = () => choose(name);
    button.textContent = `${name} ${rowsOf[name]}`;
    button.setAttribute("aria-pressed", String(only === name));
    return button;
  });
  if (now.length !== known.size || now.some((button, at) => button !== page.states.children[at])) page.states.replaceChildren(...now);
  const done = (states.done ?? 0) / Math.max(1, seen.jobs);
  page.share.value = done;
}

function choose(name) {
  only = only === name ? "" : name;
  for (const button of page.states.children) button.setAttribute("aria-pressed", String(button.dataset.state === only));
  sift();
}

function record(log) {
  page.log.replaceChildren(
    ...log.map(([when, state, words]) => {
      const date = new Date(1000 * when);
      return make("li", {}, make("time", { datetime: date.toISOString() }, date.toLocaleString([], { dateStyle: "short", timeStyle: "medium" })), make("span", {}, `${state}: ${words}`));
    }),
  );
}

/** Say in a line how the study stands. */
function tell() {
  const counts = Object.entries(seen.states).map(([name, number]) => `${number} ${name}`).join(", ");
  const left = (seen.states.waiting ?? 0) + (seen.states.lost ?? 0);
  let words = seen.jobs ? "Going on" : "Nothing to be seen yet";
  if (seen.over) words = left ? "Nothing runs any more, and not all is done" : "The run has ended";
  const told = `${words}${counts ? `; jobs: ${counts}` : ""}.${seen.over ? " This page stays, and goes on if a run does." : ""}`;
  if (page.said.textContent !== told) page.said.textContent = told;
  const gone = page.trouble.dataset.gone ? "`barriers watch` has ended or does not answer. What it said last stands here; start it again, and open the address that it prints." : "";
  const trouble = gone || (seen.trouble && `What is shown is what was seen last: ${seen.trouble}. Looking again …`);
  if (page.trouble.textContent !== trouble) page.trouble.textContent = trouble;
  page.trouble.hidden = !trouble;
  document.title = document.title.replace(/^(\(.*?\) )?/, seen.over ? "(ended) " : seen.jobs ? `(${seen.states.done ?? 0}/${seen.jobs}) ` : "");
}

function toggle(row) {
  const before = open;
  if (open) {
    open.details.element.remove();
    open.details = null;
    open.line.querySelector("button").setAttribute("aria-expanded", "false");
    open = null;
  }
  if (before === row) return;
  open = row;
  row.details = new Details(row.at, seen.headings.length);
  row.why.after(row.details.element);
  row.line.querySelector("button").setAttribute("aria-expanded", "true");
  row.details.renew();
}

page.filter.addEventListener("input", sift);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !event.target.matches("input")) {
    event.preventDefault();
    page.filter.focus();
  }
  if (event.key === "Escape" && open) {
    const button = open.line.querySelector("button");
    toggle(open);
    button.focus();
  }
});
page.hops.addEventListener("keydown", (event) => {
  const button = event.target.closest("button.open");
  if (!button || !["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
  const all = rows.filter((row) => !row.line.hidden).map((row) => row.line.querySelector("button"));
  const at = all.indexOf(button);
  const goal = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
  event.preventDefault();
  (all[goal] ?? button).focus();
});
page.hops.addEventListener("focusin", (event) => {
  if (!event.target.matches("button.open")) return;
  page.hops.querySelector('button.open[tabindex="0"]')?.setAttribute("tabindex", "-1");
  event.target.setAttribute("tabindex", "0");
});
follow();
