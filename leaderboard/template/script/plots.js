// Draws plots when they come near; the library and their rows are loaded with the first of them.
"use strict";

(() => {
  const app = window.slubench;
  const places = [...document.querySelectorAll(".plot")];
  const { vega, plots } = document.body.dataset;

  const font = getComputedStyle(document.getElementById("bar")).fontFamily;

  app.draw = async (element, chart, rows, height) => {
    await app.load(vega);
    const filled = { ...chart, datasets: { rows }, ...(height ? { height } : {}) };
    await window.vegaEmbed(element, filled, {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true,
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
      logLevel: 1, // errors alone: a panel without references has a layer without extent, which is no fault
      config: { ...app.look, font },
    });
    // Its place is told as an image with a name; what Vega marks within has none.
    element.querySelector("svg").setAttribute("aria-hidden", "true");
    element.dataset.drawn = "";
  };

  // One choice of the x axis for all plots that have it.
  const axes = [...document.querySelectorAll(".against select")];
  function applyAxes() {
    const wanted = app.state.read().get("against");
    for (const select of axes) {
      const before = select.value;
      select.value = wanted ?? select.options[0].value;
      if (select.selectedIndex < 0) select.selectedIndex = 0;
      if (select.value !== before) app.drawAgain(document.getElementById(select.dataset.for));
    }
  }

  const begun = new Set();
  async function drawPlace(element) {
    if (begun.has(element)) return;
    begun.add(element);
    await app.load(plots);
    await draw(element);
  }

  const NARROW = 480; // pixels; names at the edge give way to the legend below
  function draw(element) {
    const place = app.places[element.id];
    let [chart, rows] = [app.charts[place.chart], app.chosenRows?.(element, place.rows) ?? place.rows];
    const against = document.querySelector(`.against [data-for="${element.id}"]`)?.value;
    if (against) rows = rows.filter((row) => row.against === against);
    if (element.clientWidth < NARROW && rows.some((row) => row.role === "name")) {
      rows = rows.filter((row) => row.role !== "name");
      chart = { ...chart, padding: { ...chart.padding, right: 8 } };
    }
    return app.draw(element, chart, rows, place.height);
  }

  // After what it shows was changed; what was never drawn is drawn when it comes near.
  app.drawAgain = (element) => element && "drawn" in element.dataset && draw(element);

  for (const select of axes) {
    select.closest(".against").hidden = false;
    select.addEventListener("change", () => {
      app.state.set("against", select.selectedIndex ? select.value : "");
      app.drawAgain(document.getElementById(select.dataset.for));
      applyAxes();
    });
  }
  addEventListener("popstate", applyAxes);
  applyAxes();

  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watch.unobserve(entry.target);
        drawPlace(entry.target);
      }
    },
    { rootMargin: "600px" },
  );
  for (const element of places) watch.observe(element);
  // What is not shown has no width yet; it is drawn when it is shown.
  const drawShown = () => places.filter((element) => !element.closest("[hidden]")).forEach(drawPlace);
  addEventListener("beforeprint", drawShown);
  // A page of a few tasks is ready to be printed before anyone asks; one of hundreds draws what is seen.
  const FEW = 24;
  if (places.length && places.length <= FEW) {
    addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(drawShown));
  }
})();
