// Shows the matrices of one strategy and budget at a time.
"use strict";

(() => {
  const { state } = window.slubench;

  function apply() {
    const address = state.read();
    for (const select of document.querySelectorAll(".of-squares")) {
      select.value = address.get(select.name) ?? select.options[0].value;
      if (select.selectedIndex < 0) select.selectedIndex = 0;
      show(select);
    }
  }

  function show(select) {
    for (const squares of select.closest(".matrix").querySelectorAll(".squares")) {
      squares.hidden = squares.dataset.choice !== select.value;
    }
  }

  for (const select of document.querySelectorAll(".of-squares")) {
    select.hidden = false;
    select.closest(".choose").querySelector("strong").hidden = true;
    select.addEventListener("change", () => {
      show(select);
      state.set(select.name, select.selectedIndex ? select.value : "");
    });
  }
  addEventListener("popstate", apply);
  apply();
})();
