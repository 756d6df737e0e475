"use strict";

const at = (name) => document.getElementById(name);
const answers = [...document.querySelectorAll("[data-answer]")];
const keys = { 1: "yes", 2: "no", 0: "unclear" };
let state = null;
let busy = false;

function show(found) {
  state = found;
  at("question").textContent = state.question;
  at("count").textContent = `${state.answered} of ${state.total}`;
  at("progress").max = Math.max(1, state.total);
  at("progress").value = state.answered;
  const over = state.row === null;
  at("shown").hidden = over;
  at("over").hidden = !over;
  for (const button of answers) button.disabled = over;
  at("undo").disabled = !state.undo;
  if (!over) showRow();
}

function showRow() {
  const image = at("image");
  const row = state.row;
  image.hidden = true;
  at("name").hidden = true;
  at("note").textContent = state.id;
  image.onload = () => {
    if (row !== state.row) return;
    image.classList.toggle("small", image.naturalWidth <= 128);
    image.alt = `Row ${state.id}`;
    image.hidden = false;
  };
  image.onerror = () => row === state.row && showName();
  if (state.image) image.src = `image/${row}`;
  else showName();
}

function showName() {
  at("name").textContent = state.id;
  at("name").hidden = false;
  at("note").textContent = "The store has no image of this row: look the id up, and answer here.";
}

async function ask(path, body) {
  if (busy) return;
  busy = true;
  try {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const reply = await fetch(path, sent);
    const found = await reply.json();
    if (!reply.ok) throw new Error(found.error);
    at("problem").hidden = true;
    show(found);
  } catch (error) {
    complain(error instanceof TypeError ? "evenhand no longer runs: start the same command again." : error.message);
  } finally {
    busy = false;
  }
}

function complain(text) {
  at("problem").textContent = text;
  at("problem").hidden = false;
}

function answer(word) {
  if (state && state.row !== null) ask("answer", { row: state.row, answer: word });
}

for (const button of answers) button.addEventListener("click", () => answer(button.dataset.answer));
at("undo").addEventListener("click", () => ask("undo", {}));
at("finish").addEventListener("click", async () => {
  await ask("finish", {});
  if (!at("problem").hidden) return;
  for (const button of document.querySelectorAll("button")) button.disabled = true;
  at("shown").hidden = true;
  at("over").textContent = "Finished: the terminal shows what the answers say. You may close this page.";
  at("over").hidden = false;
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key in keys) answer(keys[event.key]);
  else if (event.key === "u" || event.key === "Backspace") ask("undo", {});
  else return;
  event.preventDefault();
});
addEventListener("focus", () => ask("state"));
ask("state");
