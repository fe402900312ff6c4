// Sorts tables by their heads, by mouse and keyboard.
"use strict";

(() => {
  const { state } = window.slubench;
  const collator = new Intl.Collator("en", { numeric: true });
  const slug = (text) => text.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-");

  function sorter(table) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.querySelectorAll(".heads th")];
    const keys = [];
    for (const [place, head] of heads.entries()) {
      const title = head.querySelector(".title");
      const key = slug(title.textContent);
      keys.push(keys.includes(key) ? `${key}-${place + 1}` : key);
      const button = document.createElement("button");
      button.type = "button";
      button.append(title);
      head.prepend(button);
    }
    table.tHead.addEventListener("click", (event) => {
      const head = event.target.closest?.("button")?.parentElement;
      if (!head) return;
      const now = head.getAttribute("aria-sort");
      sort(heads.indexOf(head), now ? (now === "ascending" ? "descending" : "ascending") : head.dataset.first);
      remember();
    });
    const initial = heads.findIndex((head) => head.hasAttribute("aria-sort"));
    let chosen = initial >= 0 ? [initial, "descending"] : null;

    function sort(place, direction) {
      chosen = [place, direction];
      const sign = direction === "ascending" ? 1 : -1;
      const numeric = heads[place].classList.contains("numbers");
      const rows = original.map((row, index) => {
        const order = row.cells[place].dataset.order;
        return { row, index, value: order === undefined ? null : numeric ? Number(order) : order };
      });
      rows.sort((a, b) => {
        if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.index - b.index;
        const difference = numeric ? a.value - b.value : collator.compare(a.value, b.value);
        return sign * difference || a.index - b.index;
      });
      body.append(...rows.map(({ row }) => row));
      heads.forEach((head, index) => {
        if (index === place) head.setAttribute("aria-sort", direction);
        else head.removeAttribute("aria-sort");
      });
    }

    function remember() {
      state.write((address) => {
        const others = address.getAll("sort").filter((entry) => !entry.startsWith(table.id + ":"));
        address.delete("sort");
        const [place, direction] = chosen;
        const own = place === initial && direction === "descending" ? [] : [`${table.id}:${keys[place]}:${direction}`];
        for (const entry of [...others, ...own]) address.append("sort", entry);
      });
    }

    function unsort() {
      chosen = null;
      body.append(...original);
      for (const head of heads) head.removeAttribute("aria-sort");
    }

    return (entry) => {
      const [key, direction] = entry ? entry.split(":").slice(1) : [];
      const place = keys.indexOf(key);
      if (place >= 0 && ["ascending", "descending"].includes(direction)) sort(place, direction);
      else if (initial >= 0 && chosen.join() !== [initial, "descending"].join()) sort(initial, "descending");
      else if (initial < 0 && chosen) unsort();
    };
  }

  const tables = [...document.querySelectorAll("table.sortable")];
  const sorters = new Map(tables.map((table) => [table.id, sorter(table)]));

  window.slubench.applySorts = () => {
    const sorts = state.read().getAll("sort");
    for (const [id, apply] of sorters) apply(sorts.find((entry) => entry.startsWith(id + ":")));
  };
  window.slubench.applySorts();
})();
