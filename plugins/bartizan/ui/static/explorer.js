// Choosing a part of the heat map by dragging or by keys; what is chosen stands in the address.

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const grid = document.querySelector("table.heat");
if (grid) choose(grid);

function choose(table) {
  const rows = [...table.tBodies[0].rows];
  const cells = rows.map((row) => [...row.querySelectorAll("td")]);
  const starts = [...table.dataset.starts.split(" "), table.dataset.end];
  let anchor = [0, 0];
  let end = [0, 0];
  let dragged = false;

  function place(target) {
    const cell = target.closest("tbody td");
    if (!cell) return null;
    const row = rows.indexOf(cell.parentElement);
    return [row, cells[row].indexOf(cell)];
  }

  function sorted(at) {
    return [anchor[at], end[at]].sort((one, other) => one - other);
  }

  function hold() {
    const [[top, bottom], [left, right]] = [sorted(0), sorted(1)];
    cells.forEach((row, y) =>
      row.forEach((cell, x) =>
        cell.classList.toggle("held", y >= top && y <= bottom && x >= left && x <= right),
      ),
    );
  }

  function drop() {
    anchor = end;
    for (const cell of table.querySelectorAll(".held")) cell.classList.remove("held");
  }

  function focus() {
    const [row, column] = end;
    const cell = cells[row][column];
    for (const other of table.querySelectorAll("td[tabindex='0']")) other.tabIndex = -1;
    cell.tabIndex = 0;
    if (!cell.hasAttribute("aria-label")) {
      const what = cell.classList.contains("quiet") ? "nothing unusual" : "not judged";
      const name = rows[row].cells[0].textContent;
      const time = starts[column].slice(0, 16).replace("T", " ");
      cell.setAttribute("aria-label", `${name}, ${time}: ${what}`);
    }
    cell.focus();
  }

  // One row is chosen with its time; several rows only choose the time.
  function open() {
    const [[top, bottom], [left, right]] = [sorted(0), sorted(1)];
    const query = new URLSearchParams((top === bottom ? rows[top] : table).dataset.query);
    query.set("picked", `${starts[left]}/${starts[right + 1]}`);
    document.documentElement.dataset.busy = "true";
    location.assign(`explorer?${query}`);
  }

  table.addEventListener("pointerdown", (event) => {
    const found = place(event.target);
    if (!found || event.button !== 0 || event.pointerType === "touch") return;
    event.preventDefault();
    [anchor, end, dragged] = [found, found, true];
    hold();
  });
  table.addEventListener("pointermove", (event) => {
    const found = dragged && place(event.target);
    if (!found) return;
    end = found;
    hold();
  });
  addEventListener("pointerup", () => {
    if (dragged) open();
    dragged = false;
  });
  addEventListener("pointercancel", () => {
    dragged = false;
    drop();
  });
  // A finger scrolls; where it taps, it chooses.
  table.addEventListener("click", (event) => {
    const found = event.pointerType === "touch" && place(event.target);
    if (!found) return;
    [anchor, end] = [found, found];
    open();
  });
  table.addEventListener("keydown", (event) => {
    if (!event.target.closest("tbody td")) return;
    if (event.key in MOVES) {
      const [down, right] = MOVES[event.key];
      end = [
        Math.min(Math.max(end[0] + down, 0), rows.length - 1),
        Math.min(Math.max(end[1] + right, 0), cells[0].length - 1),
      ];
      if (event.shiftKey) hold();
      else drop();
      focus();
    } else if (event.key === "Enter" || event.key === " ") open();
    else if (event.key === "Escape") drop();
    else return;
    event.preventDefault();
  });
  cells[0][0].tabIndex = 0;
}
