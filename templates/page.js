"use strict";
// The page: selecting parts of the network, stepping through the equations, numbers that follow, copying.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { about, formulas, passed } = read("data");
  const words = read("words");
  const picture = document.querySelector("svg.picture");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const drawn = (entry) => all("[data-entry]", picture).filter((part) => part.dataset.entry === entry);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const show = (element) =>
    element.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
  for (const id of ["controls", "stepper"]) document.getElementById(id).hidden = false;

  // Light up. Parts of the picture in `order` get a colour and a number each, and so do the factors that come from them.

  const COLOURS = 10;
  const SVG = "http://www.w3.org/2000/svg";
  const MATHML = "http://www.w3.org/1998/Math/MathML";
  const paint = (element, n) => element.classList.add("colour", `c${(n % COLOURS) + 1}`);
  const plain = (element) => {
    for (const name of [...element.classList]) if (name === "colour" || /^c\d+$/.test(name)) element.classList.remove(name);
  };
  const numeral = (namespace, tag, n) => {
    const element = document.createElementNS(namespace, tag);
    element.setAttribute("class", "which");
    element.textContent = n + 1;
    paint(element, n);
    return element;
  };
  const tag = (part, n) => {
    // The number stands behind a label, at the upper left of a circle, or in the middle of an edge.
    const text = numeral(SVG, "text", n);
    text.setAttribute("aria-hidden", "true");
    const [border, line] = [".border", ".line"].map((selector) => part.querySelector(selector));
    const letters = all("text", part).map((letter) => letter.getBBox());
    let at;
    if (border) at = { x: border.getBBox().x - 1, y: border.getBBox().y + 9 };
    else if (letters.length > 0) at = { x: Math.max(...letters.map((box) => box.x + box.width)) + 1, y: letters[0].y + 4 };
    else at = line.getPointAtLength(line.getTotalLength() / 2);
    for (const [name, value] of Object.entries(at)) if (name === "x" || name === "y") text.setAttribute(name, value);
    picture.append(text);
  };

  const light = (entries, order = []) => {
    for (const text of all(".which", picture)) text.remove();
    for (const part of all("[data-entry]", picture)) {
      const entry = part.dataset.entry;
      const n = order.indexOf(entry);
      part.classList.remove("lit", "selected");
      plain(part);
      if (entries.includes(entry)) part.classList.add("lit");
      if (n >= 0) { paint(part, n); tag(part, n); }
    }
    picture.classList.toggle("dim", entries.length > 0);
  };
  const mark = (root, order) => {
    for (const factor of all("[data-from]", root)) {
      const n = order.indexOf(factor.dataset.from);
      if (n < 0) continue;
      const numbered = document.createElementNS(MATHML, "munder");
      numbered.setAttribute("class", "numbered");
      factor.replaceWith(numbered);
      numbered.append(factor, numeral(MATHML, "mn", n));
      paint(factor, n);
    }
  };
  const unmark = () => {
    for (const numbered of all(".equation .numbered")) {
      plain(numbered.firstElementChild);
      numbered.replaceWith(numbered.firstElementChild);
    }
  };

  // Select

  const clear = document.getElementById("clear");
  const article = document.getElementById("about");
  let selected = null;
  let values = null; // what follows from the numbers put in, where there are any

  const make = (tag, classes = "", html = "") => {
    const element = document.createElement(tag);
    element.className = classes;
    element.innerHTML = html;
    return element;
  };
  const number = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(6))).replace("-", "−") : "–");

  const tell = (chosen) => {
    const heading = make("h3", "", formulas[chosen.title]);
    heading.append(make("small", "", chosen.spoken));
    article.replaceChildren(heading);
    for (const line of chosen.lines) {
      const product = make("p", "product");
      for (const formula of line) product.append(make("span", "piece", formulas[formula]));
      article.append(product);
    }
    mark(article, chosen.order);
    if (values !== null && chosen.live) {
      const line = make("p", "value", `${formulas[chosen.symbol]} = `);
      const output = make("output", "", number(chosen.sign * values[chosen.live]));
      output.dataset.value = chosen.live;
      output.dataset.sign = chosen.sign;
      line.append(output);
      article.append(line);
    }
    if (chosen.equations.length > 0) {
      const see = make("p", "see", `${words.see}: `);
      for (const n of chosen.equations) {
        const link = make("a", "", `(${n})`);
        link.href = `#eq-${n}`;
        see.append(link, " ");
      }
      article.append(see);
    }
  };

  const select = (entry, scroll = true) => {
    selected = entry;
    const chosen = entry === null ? null : about[entry];
    article.hidden = chosen === null;
    if (chosen === null) article.replaceChildren();
    else tell(chosen);
    unmark();
    for (const equation of all(".equation")) {
      const on = chosen !== null && chosen.equations.includes(equation.id.slice(3));
      equation.classList.toggle("about-it", on);
      if (on) mark(equation, chosen.order);
    }
    clear.hidden = chosen === null;
    light(chosen === null ? [] : [...chosen.lit, ...passed[chosen.passed]], chosen === null ? [] : chosen.order);
    for (const part of parts) {
      const on = part.dataset.entry === entry;
      part.setAttribute("aria-pressed", String(on));
      part.classList.toggle("selected", on);
    }
    if (chosen !== null && scroll && chosen.equations.length > 0) {
      show(document.getElementById(`eq-${chosen.equations[0]}`));
    }
  };

  // Parts of the picture as buttons: one of them takes part in the Tab order, arrow keys move between them

  const parts = [];
  const seen = new Set();
  for (const part of all("[data-entry]", picture)) {
    const entry = part.dataset.entry;
    if (about[entry] === undefined || seen.has(entry)) continue;
    seen.add(entry);
    parts.push(part);
    part.setAttribute("role", "button");
    part.setAttribute("aria-label", about[entry].spoken);
    part.setAttribute("aria-pressed", "false");
    part.setAttribute("tabindex", parts.length === 1 ? "0" : "-1");
  }
  if (parts.length > 0) picture.setAttribute("role", "group");
  for (const hit of all(".hit", picture)) {
    // What catches clicks beside a thin edge must not lie over the labels of others.
    hit.dataset.hit = hit.parentElement.dataset.entry;
    picture.prepend(hit);
  }

  const focus = (part) => {
    for (const each of parts) each.setAttribute("tabindex", each === part ? "0" : "-1");
    part.focus({ preventScroll: true });
  };
  const place = (part) => {
    const box = part.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  };
  const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const towards = (part, [right, down]) => {
    // The nearest part in that direction; what lies aside counts twice.
    const [x, y] = place(part);
    let best = null;
    let least = Infinity;
    for (const other of parts) {
      const [u, v] = place(other);
      const along = (u - x) * right + (v - y) * down;
      const aside = Math.abs((u - x) * down) + Math.abs((v - y) * right);
      if (along > 1 && along + 2 * aside < least) [best, least] = [other, along + 2 * aside];
    }
    return best;
  };
  picture.addEventListener("click", (event) => {
    const entry = event.target.dataset.hit ?? event.target.closest("[data-entry]")?.dataset.entry;
    if (about[entry] === undefined) return;
    select(entry);
    const button = parts.find((each) => each.dataset.entry === entry);
    for (const each of parts) each.setAttribute("tabindex", each === button ? "0" : "-1");
  });
  picture.addEventListener("keydown", (event) => {
    const part = parts.find((each) => each === document.activeElement);
    if (part === undefined) return;
    if (event.key === "Enter" || event.key === " ") {
      select(part.dataset.entry);
    } else if (ARROWS[event.key]) {
      const next = towards(part, ARROWS[event.key]);
      if (next !== null) focus(next);
    } else if (event.key === "Home" || event.key === "End") {
      focus(parts[event.key === "Home" ? 0 : parts.length - 1]);
    } else {
      return;
    }
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && selected !== null) select(null);
  });
  clear.addEventListener("click", () => select(null));

  // Step through the equations

  const equations = all(".equation");
  const at = document.getElementById("at");
  const [back, forth] = ["back", "forth"].map((id) => document.getElementById(id));
  let current = -1;

  const step = (to) => {
    current = to;
    equations.forEach((equation, n) => equation.classList.toggle("current", n === current));
    back.disabled = current <= 0;
    forth.disabled = current === equations.length - 1;
    if (current < 0) return;
    const equation = equations[current];
    at.textContent = `${words.step} ${equation.id.slice(3)} (${current + 1} / ${equations.length})`;
    select(null);
    const order = [...new Set(all("[data-from]", equation).map((factor) => factor.dataset.from))];
    light((equation.dataset.entries || "").split(" ").filter(Boolean), order);
    mark(equation, order);
    show(equation);
  };
  back.addEventListener("click", () => step(Math.max(current - 1, 0)));
  forth.addEventListener("click", () => step(Math.min(current + 1, equations.length - 1)));
  step(-1);

  // Numbers that follow

  const fields = all("[data-given]");
  if (fields.length > 0) {
    const sliders = new Map(all("[data-slider]").map((slider) => [slider.dataset.slider, slider]));
    const given = {};

    const put = (field) => {
      const chosen = Number(field.value);
      if (field.value.trim() === "" || !Number.isFinite(chosen)) return;
      given[field.dataset.given] = Number(field.dataset.sign) * chosen;
      sliders.get(field.dataset.given).value = field.value;
    };
    const follow = () => {
      const before = values;
      values = gradients(given);
      for (const output of all("[data-value]")) {
        const value = Number(output.dataset.sign) * values[output.dataset.value];
        output.textContent = number(value);
        output.title = String(value);
        output.classList.toggle("changed", before !== null && before[output.dataset.value] !== values[output.dataset.value]);
      }
    };
    for (const field of fields) {
      put(field);
      field.addEventListener("input", () => { put(field); follow(); });
    }
    for (const slider of sliders.values()) {
      slider.addEventListener("input", () => {
        const field = fields.find((each) => each.dataset.given === slider.dataset.slider);
        field.value = slider.value;
        put(field);
        follow();
      });
    }
    document.getElementById("reset").addEventListener("click", () => {
      for (const field of fields) { field.value = field.defaultValue; put(field); }
      follow();
    });
    follow();
  }

  // Copy an equation

  const copy = async (text) => {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    // A page opened from a file may not reach the clipboard; a selected text may be copied everywhere.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  for (const equation of equations) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = words.copy_short;
    button.title = words.copy;
    button.setAttribute("aria-label", `${words.copy}: ${words.step} ${equation.id.slice(3)}`);
    button.addEventListener("click", async () => {
      await copy(equation.dataset.latex);
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy_short; }, 1500);
    });
    equation.querySelector("tr:last-child .reason").append(button);
  }
})();
