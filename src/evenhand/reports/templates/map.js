"use strict";
(() => {
  const holder = document.getElementById("map-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const section = document.getElementById("map");
  const plot = section.querySelector("canvas.plot");
  const pen = plot.getContext("2d");
  const values = section.querySelector(".values");
  const detail = section.querySelector(".detail");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const REACH = 18, DURATION = 900, FURTHEST = 4000;
  const CHANGE = ["stayed correct", "newly correct", "newly wrong", "stayed wrong"];
  const n = data.shown, last = data.stages.length - 1, before = Math.max(0, last - 1);
  const sheets = data.sheets.map((address) => Object.assign(new Image(), { src: address }));

  const right = (stage, k) => data.stages[stage].predicted[k] === data.y[k];
  const change = (k) => (right(before, k) ? (right(last, k) ? 0 : 2) : (right(last, k) ? 1 : 3));
  const changes = Array.from({ length: n }, (_, k) => change(k));
  // Codes of every model; a field of the rows alone has the same for all.
  const verdicts = data.stages.map((_, s) => Array.from({ length: n }, (_, k) => (right(s, k) ? 0 : 1)));
  const fields = [
    ...data.fields.map((one) => ({ ...one, codes: data.stages.map(() => one.codes) })),
    { name: "correct or wrong", values: ["correct", "wrong"], colors: [0, 1], codes: verdicts },
    { name: "what changed", values: CHANGE, colors: [0, 5, 1, 7], codes: data.stages.map(() => changes) },
  ];

  let stage = last, from = last, share = 1, field = fields[0], chosen = -1, onlyChanged = false;
  let hidden = new Set(), colors = [], width = 0, height = 0;
  let found = null, lasso = [];

  const shown = (k) => !hidden.has(field.codes[stage][k]) && (!onlyChanged || changes[k] === 1 || changes[k] === 2);
  const at = (k, s, axis) => data.stages[s].xy[2 * k + axis] / FURTHEST;
  const place = (k) => {
    const x = at(k, from, 0) + share * (at(k, stage, 0) - at(k, from, 0));
    const y = at(k, from, 1) + share * (at(k, stage, 1) - at(k, from, 1));
    return toScreen(x, y);
  };
  const toScreen = (x, y) => [width / 2 + x * (width / 2 - 16), height / 2 - y * (height / 2 - 16)];

  function draw() {
    const scale = devicePixelRatio || 1;
    width = plot.clientWidth;
    height = plot.clientHeight;
    if (plot.width !== Math.round(width * scale)) plot.width = Math.round(width * scale);
    if (plot.height !== Math.round(height * scale)) plot.height = Math.round(height * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const size = n > 800 ? 2.6 : n > 200 ? 3.4 : 5;
    pen.lineWidth = 1.6;
    for (let k = 0; k < n; k++) if (shown(k)) mark(k, size);
    if (chosen >= 0) ring(chosen, size);
    if (lasso.length > 1) outline();
  }

  function outline() {
    pen.strokeStyle = getComputedStyle(section).color;
    pen.setLineDash([4, 4]);
    pen.beginPath();
    for (const [x, y] of lasso) pen.lineTo(x, y);
    pen.closePath();
    pen.stroke();
    pen.setLineDash([]);
  }

  function mark(k, size) {
    const [x, y] = place(k);
    pen.fillStyle = pen.strokeStyle = colors[field.codes[stage][k]];
    pen.beginPath();
    pen.globalAlpha = found && !found.has(k) ? 0.12 : 1;
    if (right(stage, k)) {
      pen.globalAlpha *= 0.75;
      pen.arc(x, y, size, 0, 2 * Math.PI);
      pen.fill();
    } else {
      pen.moveTo(x - size, y - size);
      pen.lineTo(x + size, y + size);
      pen.moveTo(x + size, y - size);
      pen.lineTo(x - size, y + size);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  function ring(k, size) {
    const [x, y] = place(k);
    const ink = getComputedStyle(section).color;
    pen.strokeStyle = ink;
    if (stage > 0) {
      const [x0, y0] = toScreen(at(k, stage - 1, 0), at(k, stage - 1, 1));
      pen.setLineDash([3, 3]);
      pen.beginPath();
      pen.moveTo(x0, y0);
      pen.lineTo(x, y);
      pen.stroke();
      pen.setLineDash([]);
    }
    mark(k, size * 1.5);
    pen.strokeStyle = ink;
    pen.beginPath();
    pen.arc(x, y, size * 1.5 + 4, 0, 2 * Math.PI);
    pen.stroke();
  }

  function move(next) {
    from = stage;
    stage = next;
    legend();
    const start = performance.now();
    const step = (now) => {
      const t = still.matches ? 1 : Math.min(1, (now - start) / DURATION);
      share = t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
      draw();
      if (t < 1 && stage === next) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function element(tag, text, ...children) {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    made.append(...children);
    return made;
  }

  function choose(k) {
    if (k === chosen) return;
    chosen = k;
    draw();
    if (k < 0) return;
    const list = element("dl");
    const add = (name, value) => list.append(element("dt", name), element("dd", value));
    add("image", data.ids[k]);
    if (data.paths[k]) list.lastChild.append(pathOf(k));
    for (const known of data.fields) add(known.name, known.values[known.codes[k]]);
    data.stages.forEach((one, s) => {
      add(one.name, `${data.classes[one.predicted[k]]} ${right(s, k) ? "✓" : "✗"}`);
      list.lastChild.append(element("small", `margin ${one.margins[k].toFixed(2).replace("-", "−")}`));
    });
    detail.replaceChildren(...(sheets.length ? [thumbnail(k)] : []), list);
  }

  function pathOf(k) {
    const button = element("button", "Copy path");
    button.type = "button";
    button.className = "copy";
    const code = element("code", data.paths[k]);
    return element("small", "", code, button);
  }

  function tileOf(k, scale) {
    const image = element("canvas");
    const per = data.columns * data.columns, tile = data.tile, spot = k % per;
    image.width = image.height = scale * tile;
    image.setAttribute("role", "img");
    image.setAttribute("aria-label", `Thumbnail of ${data.ids[k]}`);
    const sheet = sheets[Math.floor(k / per)];
    const x = tile * (spot % data.columns), y = tile * Math.floor(spot / data.columns), side = scale * tile;
    const show = () => image.getContext("2d").drawImage(sheet, x, y, tile, tile, 0, 0, side, side);
    if (sheet.complete) show(); else sheet.addEventListener("load", show);
    return image;
  }

  function thumbnail(k) {
    const image = tileOf(k, 2);
    const button = element("button", "", image);
    button.type = "button";
    button.className = "large";
    button.addEventListener("click", () => {
      globalThis.evenhand.show(tileOf(k, 4).toDataURL(), data.paths[k], `${data.ids[k]}, ${data.classes[data.y[k]]}`);
    });
    return button;
  }
  section.tile = sheets.length ? (k) => tileOf(k, 1) : null;

  function nearest(x, y, allowed) {
    let best = -1, least = Infinity;
    for (let k = 0; k < n; k++) {
      if (!shown(k) || k === allowed.except) continue;
      const [px, py] = place(k);
      const distance = allowed.cost(px - x, py - y);
      if (distance < least) [best, least] = [k, distance];
    }
    return best;
  }

  const under = (event) => {
    const box = plot.getBoundingClientRect();
    const cost = (dx, dy) => (Math.hypot(dx, dy) < REACH ? Math.hypot(dx, dy) : Infinity);
    return nearest(event.clientX - box.left, event.clientY - box.top, { cost });
  };
  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const spot = (event) => {
    const box = plot.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  // A finger scrolls the page; a mouse or a pen that is held down draws around points.
  const draws = (event) => event.buttons === 1 && event.pointerType !== "touch";
  plot.addEventListener("pointermove", (event) => {
    if (draws(event) && lasso.length) {
      lasso.push(spot(event));
      draw();
      return;
    }
    const k = under(event);
    if (k >= 0) choose(k);
  });
  plot.addEventListener("pointerdown", (event) => {
    choose(under(event));
    lasso = draws(event) ? [spot(event)] : [];
    if (lasso.length) plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointerup", () => {
    const inside = new Set();
    if (lasso.length > 3) {
      for (let k = 0; k < n; k++) if (shown(k) && holds(lasso, place(k))) inside.add(k);
      section.dispatchEvent(new CustomEvent("lasso", { detail: inside.size ? inside : null }));
    }
    lasso = [];
    draw();
  });
  section.addEventListener("found", (event) => { found = event.detail; draw(); });
  section.addEventListener("choose", (event) => {
    choose(event.detail);
    plot.scrollIntoView({ block: "nearest" });
  });

  // Whether a polygon holds a point: a ray from it crosses the outline an odd number of times.
  function holds(outline, [x, y]) {
    let odd = false;
    outline.forEach(([x1, y1], k) => {
      const [x0, y0] = outline[(k || outline.length) - 1];
      if ((y1 > y) !== (y0 > y) && x < ((x0 - x1) * (y - y1)) / (y0 - y1) + x1) odd = !odd;
    });
    return odd;
  }
  plot.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    if (!way) return;
    event.preventDefault();
    const [x, y] = chosen >= 0 ? place(chosen) : [width / 2, height / 2];
    // Ahead counts once, aside twice; behind is out of reach.
    const cost = (dx, dy) => {
      const ahead = dx * way[0] + dy * way[1], aside = Math.abs(dx * way[1] + dy * way[0]);
      return ahead > 0.5 ? ahead + 2 * aside : Infinity;
    };
    const k = nearest(x, y, { cost, except: chosen });
    if (k >= 0) choose(k);
  });

  function legend() {
    const buttons = field.values.map((value, code) => {
      const key = element("span");
      key.className = "key";
      key.style.background = `var(--c${field.colors[code]})`;
      const count = field.codes[stage].filter((other) => other === code).length;
      const button = element("button", "", key, `${value} (${count})`);
      button.type = "button";
      button.setAttribute("aria-pressed", String(!hidden.has(code)));
      button.addEventListener("click", () => {
        if (hidden.has(code)) hidden.delete(code); else hidden.add(code);
        button.setAttribute("aria-pressed", String(!hidden.has(code)));
        draw();
      });
      return button;
    });
    values.replaceChildren(...buttons);
    paint();
  }

  function paint() {
    colors = [...values.querySelectorAll(".key")].map((key) => getComputedStyle(key).backgroundColor);
    draw();
  }

  const select = section.querySelector("select");
  select.append(...fields.map((one, k) => Object.assign(element("option", one.name), { value: k })));
  select.addEventListener("change", () => { field = fields[select.value]; hidden = new Set(); legend(); });
  section.querySelectorAll("[name=stage]").forEach((radio) => {
    radio.checked = Number(radio.value) === stage;
    radio.addEventListener("change", () => move(Number(radio.value)));
  });
  section.querySelector("[name=changed]")?.addEventListener("change", (event) => {
    onlyChanged = event.target.checked;
    draw();
  });
  document.addEventListener("theme", paint);
  new ResizeObserver(draw).observe(plot);
  section.querySelector(".live").hidden = false;
  legend();
  // A row that calibration mended, if any, so that what the map offers is seen at once.
  choose(Math.max(0, changes.indexOf(1)));
})();
