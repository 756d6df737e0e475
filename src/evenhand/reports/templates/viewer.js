"use strict";
// What several parts of the page do: copy a text, download a table, and show an image large with its path.
globalThis.evenhand = (() => {
  function download(name, rows) {
    const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;
    const text = rows.map((row) => row.map(quoted).join(",") + "\r\n").join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function copy(button, text) {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without leave to write the clipboard the text is selected, ready for Ctrl+C.
      const shown = button.parentElement.querySelector("code, pre");
      if (shown) getSelection().selectAllChildren(shown);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = before; }, 1500);
  }

  const viewer = document.getElementById("viewer");
  function show(address, path, text) {
    const image = Object.assign(new Image(), { src: address, alt: text });
    const caption = document.createElement("figcaption");
    caption.textContent = text;
    viewer.querySelector("figure").replaceChildren(image, caption);
    viewer.querySelector("code").textContent = path;
    viewer.showModal();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) {
      if (event.target === viewer) viewer.close();
      return;
    }
    if (button.matches(".copy")) copy(button, button.parentElement.querySelector("code, pre").textContent);
    if (button.matches(".thumb")) {
      show(button.querySelector("img").src, button.dataset.path, button.querySelector("img").alt);
    }
    if (button.matches(".close")) viewer.close();
    if (button.matches(".csv[data-slice]")) {
      const { columns, slices } = JSON.parse(document.getElementById("slice-rows").textContent);
      const chosen = slices[button.dataset.slice];
      download(`${chosen.name}.csv`, [columns, ...chosen.rows]);
    }
  });
  document.querySelectorAll(".copy, .csv, .thumb").forEach((one) => { one.disabled = false; });
  return { download, show };
})();
