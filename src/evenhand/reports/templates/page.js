"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const tell = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colors`);
    document.dispatchEvent(new Event("theme"));
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  dark.addEventListener("change", tell);
  tell();

  // Everything is printed, folded or not, in light colors.
  let folded = [];
  let theme;
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((details) => { details.open = true; });
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    document.dispatchEvent(new Event("theme"));
  });
  addEventListener("afterprint", () => {
    folded.forEach((details) => { details.open = false; });
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    document.dispatchEvent(new Event("theme"));
  });

  // On a narrow screen each row of a wide table is a block, whose values carry the names of their columns.
  for (const table of document.querySelectorAll("table.wide")) {
    const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent);
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, column) => { cell.dataset.column = names[column]; });
    }
    table.classList.add("named");
  }

  const order = {
    low: (a, b) => a.dataset.margin - b.dataset.margin,
    high: (a, b) => b.dataset.margin - a.dataset.margin,
    group: (a, b) => a.dataset.group.localeCompare(b.dataset.group) || a.dataset.margin - b.dataset.margin,
  };
  const sort = document.getElementById("sort");
  if (sort) {
    sort.closest(".controls").hidden = false;
    sort.addEventListener("change", () => {
      for (const gallery of document.querySelectorAll(".sortable")) {
        gallery.append(...[...gallery.children].sort(order[sort.value]));
      }
    });
  }
})();
