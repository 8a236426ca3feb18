// The card that follows the pointer and the keyboard, and the filters. The page is whole without it.
"use strict";

const card = document.getElementById("card");

// --- the card --------------------------------------------------------------------------------------------------------

// What the card shows, and whether it stays when the pointer goes away.
let shown = null;
let pinned = false;
// The card was closed, and the pointer has not moved since: what came to light under it was not pointed at.
let still = false;

// The row of the table of entries that tells of what `element` stands for.
function rowOf(element) {
  return document.getElementById(element.dataset.entry);
}

function fill(row) {
  const [head, ...cells] = row.cells;
  const name = document.createElement("h3");
  name.textContent = head.querySelector("code").textContent;
  const notes = Array.from(head.querySelectorAll(".note"), (note) => note.cloneNode(true));
  const list = document.createElement("dl");
  for (const cell of cells.filter((cell) => cell.textContent.trim() !== "–")) {
    const title = document.createElement("dt");
    title.textContent = cell.dataset.label;
    const text = document.createElement("dd");
    text.append(...Array.from(cell.childNodes, (node) => node.cloneNode(true)));
    list.append(title, text);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", dismiss);
  card.replaceChildren(name, ...notes, list, close);
}

// Puts the card below `element`, or above where there is more room; on a narrow screen the style keeps it at the bottom.
function place(element) {
  card.style.left = card.style.top = "";
  if (matchMedia("(max-width: 44rem)").matches) return;
  const at = element.getBoundingClientRect();
  const own = card.getBoundingClientRect();
  const anchor = (element.querySelector(".bar") ?? element).getBoundingClientRect();
  const left = Math.min(Math.max(anchor.left, 16), innerWidth - own.width - 16);
  const below = at.bottom + 6;
  const top = below + own.height > innerHeight - 8 && at.top > own.height + 14 ? at.top - own.height - 6 : below;
  card.style.left = `${left}px`;
  card.style.top = `${top}px`;
}

function show(element, pin) {
  if (shown === element && pinned && !pin) return;
  hide();
  shown = element;
  pinned = pin;
  fill(rowOf(element));
  card.hidden = false;
  place(element);
  element.classList.add("shown");
  for (const edge of edgesOf(element.dataset.entry)) edge.classList.add("lit");
}

function hide() {
  if (!shown) return;
  shown.classList.remove("shown");
  for (const edge of edgesOf(shown.dataset.entry)) edge.classList.remove("lit");
  shown = null;
  pinned = false;
  card.hidden = true;
}

// Closes the card on the reader's wish; the keyboard goes on where it came from.
function dismiss() {
  const from = shown;
  const inside = card.contains(document.activeElement);
  hide();
  still = true;
  if (!inside) return;
  from.focus();
  hide();
}

// The edges of the picture that begin or end at the entry `id`.
function edgesOf(id) {
  return document.querySelectorAll(`.edge[data-ends~="${id}"]`);
}

function subject(event) {
  return event.target.closest?.("[data-entry]");
}

function follow(event) {
  if (event.pointerType !== "mouse" || pinned || still) return;
  const element = subject(event);
  if (element) show(element, false);
  else if (!card.contains(event.target)) hide();
}

document.addEventListener("pointerover", follow);
document.addEventListener("pointermove", (event) => {
  if (!still) return;
  still = false;
  follow(event);
});
document.addEventListener("focusin", (event) => {
  const element = subject(event);
  if (element) show(element, false);
  else if (!card.contains(event.target)) hide();
});
document.addEventListener("click", (event) => {
  const element = subject(event);
  if (element) {
    event.preventDefault();
    if (shown === element && pinned) hide();
    else show(element, true);
  } else if (!card.contains(event.target)) hide();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") dismiss();
});
addEventListener("scroll", () => {
  if (!shown || pinned) return;
  if (shown.matches(":hover, :focus")) place(shown);
  else hide();
}, { passive: true });

// --- the filters -----------------------------------------------------------------------------------------------------

// Hides the rows of a list that do not hold every word of `query`; in folded lists it unfolds those that have any.
function filter(list, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (row) => {
    const text = row.textContent.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const rows = list.tagName === "TBODY" ? list.rows : list.querySelectorAll("ol.entries > li");
  let count = 0;
  for (const row of rows) {
    row.hidden = !fits(row);
    if (!row.hidden) count += 1;
  }
  for (const folded of list.querySelectorAll("details")) {
    const any = folded.querySelector("ol.entries > li:not([hidden])") !== null;
    folded.hidden = words.length > 0 && !any;
    folded.open = words.length > 0 && any;
  }
  return words.length > 0 ? `${count} found` : "";
}

for (const input of document.querySelectorAll("input[data-filters]")) {
  const list = document.getElementById(input.dataset.filters);
  const output = document.querySelector(`output[for="${input.id}"]`);
  input.addEventListener("input", () => { output.value = filter(list, input.value); });
}

// A link to a folded table unfolds it.
addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
});
