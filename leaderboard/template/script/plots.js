// Draws plots when they come near; the library and their rows are loaded with the first of them.
"use strict";

(() => {
  const app = window.slubench;
  const places = [...document.querySelectorAll(".plot")];
  const { vega, plots } = document.body.dataset;

  const axis = {
    labelColor: "var(--soft)",
    titleColor: "var(--soft)",
    gridColor: "var(--rule)",
    domainColor: "var(--soft)",
    tickColor: "var(--soft)",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    titlePadding: 8,
    labelPadding: 5,
  };
  const config = {
    background: null,
    font: getComputedStyle(document.getElementById("bar")).fontFamily,
    aria: false,
    view: { stroke: null },
    axis,
    axisY: { domain: false, ticks: false, tickCount: 5 },
    text: { color: "var(--soft)", fontSize: 12 },
    range: { category: [0, 1, 2, 3, 4, 5, 6, 7].map((place) => `var(--s${place})`) },
  };

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
      config,
    });
    // Its place is told as an image with a name; what Vega marks within has none.
    element.querySelector("svg").setAttribute("aria-hidden", "true");
    element.dataset.drawn = "";
  };

  const begun = new Set();
  async function drawPlace(element) {
    if (begun.has(element)) return;
    begun.add(element);
    await app.load(plots);
    const place = app.places[element.id];
    await app.draw(element, app.charts[place.chart], place.rows, place.height);
  }

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
  addEventListener("beforeprint", () => places.forEach(drawPlace));
  // A page of a few tasks is ready to be printed before anyone asks; one of hundreds draws what is seen.
  const FEW = 24;
  if (places.length && places.length <= FEW) {
    addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(() => places.forEach(drawPlace)));
  }
})();
