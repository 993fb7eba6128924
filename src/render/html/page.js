"use strict";

// The switch between the light and the dark theme. Without it the page follows the system.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  button.hidden = false;
  label();
})();

// What is folded on the screen is printed.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

// Folded steps open and close.
for (const button of document.querySelectorAll(".fold button")) {
  button.addEventListener("click", () => {
    const steps = button.closest("tbody").nextElementSibling;
    const isOpen = steps.classList.toggle("open");
    button.setAttribute("aria-expanded", String(isOpen));
    drawArrows();
  });
}

// Arrows join the three steps that collide, in their order.
function drawArrows() {
  const namespace = "http://www.w3.org/2000/svg";
  document.querySelectorAll(".collisions").forEach((box, number) => {
    box.querySelector("svg")?.remove();
    const marks = [1, 2, 3].map((place) => box.querySelector(`[data-collides="${place}"]`));
    if (marks.some((mark) => !mark || mark.offsetParent === null)) return;
    const frame = box.getBoundingClientRect();
    const points = marks.map((mark) => {
      const at = mark.getBoundingClientRect();
      return { x: at.right - frame.left, y: (at.top + at.bottom) / 2 - frame.top };
    });
    const svg = document.createElementNS(namespace, "svg");
    svg.setAttribute("aria-hidden", "true");
    const tip = `tip-${number}`;
    svg.innerHTML =
      `<defs><marker id="${tip}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">` +
      `<path d="M0 0 8 4 0 8z"/></marker></defs>`;
    for (let at = 0; at < 2; at += 1) {
      const [from, to] = [points[at], points[at + 1]];
      const out = Math.max(from.x, to.x) + 26;
      // The arrow that comes in ends above the one that goes out.
      const [start, end] = [from.y + 5 * at, to.y - 5 * (1 - at)];
      const path = document.createElementNS(namespace, "path");
      path.setAttribute("d", `M${from.x + 2} ${start} C${out} ${start} ${out} ${end} ${to.x + 3} ${end}`);
      path.setAttribute("marker-end", `url(#${tip})`);
      svg.append(path);
    }
    box.append(svg);
  });
}
drawArrows();
addEventListener("resize", drawArrows);
addEventListener("beforeprint", drawArrows);
