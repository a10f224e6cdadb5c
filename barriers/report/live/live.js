import { Details, make } from "./details.js";

const EVERY = 1000; // ms between two questions; while nobody looks at the page, ten times as many
const LABELLED = 3; // the first cells of a row say of what and how it is, and need no label on a phone
const page = Object.fromEntries(["said", "trouble", "share", "filter", "states", "shown", "more", "hops", "log"].map((id) => [id, document.getElementById(id)]));
const rows = []; // by their number: the data of a row, and its elements
const seen = { revision: 0, headings: [], states: {}, jobs: 0, over: false, log: [], trouble: "" };
let only = ""; // the state that is shown alone
const AT_ONCE = 200; // rows in the page: each costs a browser some 20 kB
let most = AT_ONCE;
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
  rows.length = Math.min(rows.length, told.total);
  for (const [at, state, cells, reason] of told.rows) {
    rows[at] ??= { at };
    Object.assign(rows[at], { state, cells, reason, text: [...cells, reason].join(" ").toLowerCase(), filled: false });
  }
  if (told.states) buttons(told.states);
  if (told.log) record(told.log);
  sift();
  if (rows.length && !performance.getEntriesByName("rows shown").length) performance.mark("rows shown");
}

function head(headings) {
  page.hops.tHead.rows[0].replaceChildren(...headings.map((text, at) => make("th", { scope: "col", class: at < 4 ? "" : "number" }, text)));
}

/** Make the elements of a row. */
function begin(row) {
  const button = make("button", { type: "button", class: "open", "aria-expanded": "false", tabindex: "-1" });
  button.addEventListener("click", () => toggle(row));
  row.line = make("tr", {}, make("th", { scope: "row", class: "name" }, button));
  for (const [at, heading] of seen.headings.slice(1).entries()) {
    row.line.append(make("td", { class: at < 3 ? "name" : "number", ...(at + 1 >= LABELLED && { "data-label": heading }) }));
  }
  row.line.cells[2].classList.add("state");
  row.why = make("tr", { class: "reason" }, make("td", { colspan: seen.headings.length }));
}

/** Write into the elements of a row what is known of it. */
function fill(row) {
  row.cells.forEach((text, at) => {
    const cell = at ? row.line.cells[at] : row.line.cells[0].firstChild;
    if (cell.textContent !== text) cell.textContent = text;
  });
  row.line.cells[2].dataset.state = row.state;
  row.why.cells[0].textContent = row.reason;
  row.filled = true;
}

/** Show the rows that are asked for; of many, those first that run or need help. */
function sift() {
  const words = page.filter.value.toLowerCase().split(/\s+/);
  const fitting = rows.filter((row) => (!only || row.state === only) && words.every((word) => row.text.includes(word)));
  const rests = (row) => ["done", "waiting"].includes(row.state);
  if (fitting.length > most) fitting.sort((one, other) => rests(one) - rests(other) || one.at - other.at);
  const shown = fitting.slice(0, most);
  if (open && !shown.includes(open)) toggle(open);
  const body = page.hops.tBodies[0];
  let next = body.firstChild;
  for (const row of shown) {
    if (!row.line) begin(row);
    if (!row.filled) fill(row);
    for (const element of [row.line, ...(row.reason ? [row.why] : []), ...(row.details ? [row.details.element] : [])]) {
      if (element === next) next = next.nextSibling;
      else body.insertBefore(element, next);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
  for (const row of rows) if (row.line && !row.line.isConnected) Object.assign(row, { line: null, why: null, filled: false });
  if (!page.hops.querySelector('button.open[tabindex="0"]')) page.hops.querySelector("button.open")?.setAttribute("tabindex", "0");
  page.shown.textContent = shown.length < rows.length ? `${shown.length} of ${rows.length} shown` : "";
  page.more.hidden = shown.length === fitting.length;
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
  const left = ["waiting", "stopped", "lost"].some((state) => seen.states[state]);
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
  (row.why.isConnected ? row.why : row.line).after(row.details.element);
  row.line.querySelector("button").setAttribute("aria-expanded", "true");
  row.details.renew();
}

page.filter.addEventListener("input", sift);
page.more.addEventListener("click", () => {
  most += AT_ONCE;
  sift();
});
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
  const all = [...page.hops.querySelectorAll("button.open")];
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
