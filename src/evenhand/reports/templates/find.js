"use strict";
(() => {
  const holder = document.getElementById("map-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const section = document.getElementById("map");
  const form = section.querySelector(".find");
  const found = section.querySelector(".found");
  const SHOWN = 48;
  const n = data.shown;
  let drawn = null;

  const stage = () => Number(section.querySelector("[name=stage]:checked").value);
  const right = (k) => data.stages[stage()].predicted[k] === data.y[k];
  const fields = data.filters.map((one, f) => {
    const select = document.createElement("select");
    const options = ["all", ...one.values].map((value, k) => new Option(value, k - 1));
    select.append(...options);
    const label = document.createElement("label");
    label.append(one.name, select);
    form.querySelector(".fields").append(label);
    return { select, codes: data.filters[f].codes };
  });
  const text = (k) => [data.ids[k], data.paths[k], ...data.filters.map((one) => one.values[one.codes[k]])].join("\n").toLowerCase();
  const texts = Array.from({ length: n }, (_, k) => text(k));

  function chosen() {
    const words = form.elements.search.value.toLowerCase().trim();
    const verdict = form.elements.right.value;
    const rows = [];
    for (let k = 0; k < n; k++) {
      if (drawn && !drawn.has(k)) continue;
      if (words && !texts[k].includes(words)) continue;
      if (verdict && right(k) !== (verdict === "right")) continue;
      if (fields.every(({ select, codes }) => select.value < 0 || codes[k] === Number(select.value))) rows.push(k);
    }
    return rows;
  }

  function item(k) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.append(section.tile ? section.tile(k) : "", data.ids[k]);
    button.addEventListener("click", () => section.dispatchEvent(new CustomEvent("choose", { detail: k })));
    row.append(button);
    return row;
  }

  function update() {
    const rows = chosen();
    const all = rows.length === n;
    section.dispatchEvent(new CustomEvent("found", { detail: all ? null : new Set(rows) }));
    found.querySelector("p").textContent = all
      ? `All ${n.toLocaleString("en")} rows. Search, filter, or draw around points on the map.`
      : `${rows.length.toLocaleString("en")} of ${n.toLocaleString("en")} rows${rows.length > SHOWN ? `; the first ${SHOWN} are shown, the download has all` : ""}.`;
    found.querySelector("ul").replaceChildren(...(all ? [] : rows.slice(0, SHOWN).map(item)));
  }

  function save() {
    const predicted = data.stages.map((one) => `predicted by ${one.name}`);
    const others = data.filters.filter((one) => one.name !== "class");
    const header = ["id", "path", "label", ...others.map((one) => one.name), ...predicted];
    const rows = chosen().map((k) => [
      data.ids[k], data.paths[k], data.classes[data.y[k]],
      ...others.map((one) => one.values[one.codes[k]]),
      ...data.stages.map((one) => data.classes[one.predicted[k]]),
    ]);
    globalThis.evenhand.download("rows.csv", [header, ...rows]);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", update);
  form.addEventListener("reset", () => { drawn = null; setTimeout(update); });
  section.addEventListener("lasso", (event) => { drawn = event.detail; update(); });
  section.querySelectorAll("[name=stage]").forEach((one) => one.addEventListener("change", update));
  form.querySelector(".save").addEventListener("click", save);
  // The map is drawn first; it offers the tiles.
  setTimeout(update);
})();
