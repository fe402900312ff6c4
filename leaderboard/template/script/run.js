// Shows the run named in the address; loads only the one data file that contains it.
"use strict";

(() => {
  const app = window.slubench;
  const main = document.getElementById("main");
  const { shards, digits } = document.body.dataset;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const section = (id, title, ...children) =>
    element("section", { class: "part", "aria-labelledby": id }, element("h2", { id }, title), ...children);
  const pairs = (entries, cls = "facts") =>
    element("dl", { class: cls }, ...entries.map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value))));


  const points = (value) => (value === null ? "\u2013" : (100 * value).toFixed(1));
  const plainly = (name) => name.replaceAll("_", " ");
  // Titles of metrics and inputs come with the runs, from their declarations.
  const titled = (name) => app.metrics[name]?.[0] ?? plainly(name);
  const unit = (name) => (app.metrics[name]?.[1] === "percent" ? "\u202f%" : "");
  const fed = (input) => app.inputs[input] ?? plainly(input);

  function measures(run) {
    const inputs = [...new Set(run.measures.map((row) => row[1]))];
    const order = Object.keys(app.metrics);
    const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
    const names = [...new Set(run.measures.map((row) => row[0]))].sort((a, b) => place(a) - place(b));
    const at = new Map(run.measures.map((row) => [row.slice(0, 3).join(), row]));
    const cell = (row) =>
      element("td", {}, row ? `${points(row[3])}${unit(row[0])}` : "\u2013",
        row && row[4] !== null ? element("small", {}, ` ${points(row[4])}\u2013${points(row[5])}`) : null);
    const heads = inputs.flatMap((input) => [[input, true, fed(input)], [input, false, `${fed(input)}, as published`]]);
    return element("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": "Scores" },
      element("table", { class: "scores" },
        element("caption", {}, "Scores", element("span", {}, " in points of 100 (error rates in %), with the 95 % interval of test sampling.")),
        element("thead", {}, element("tr", { class: "groups heads" },
          element("th", { scope: "col", class: "words" }, "Metric"),
          ...heads.map(([, , title]) => element("th", { scope: "col" }, title)))),
        element("tbody", {}, ...names.map((name) => element("tr", {},
          element("th", { scope: "row" }, titled(name)),
          ...heads.map(([input, normalised]) => cell(at.get([name, input, normalised].join()))))))));
  }

  function sample(name, replies) {
    const right = replies[0].right;
    const { said, meant } = replies[0];
    const line = (what, text, cls = "") => element("div", {}, element("dt", {}, what), element("dd", { class: cls }, element("code", {}, text)));
    const verdict = (reply) => (reply.right ? "right" : reply.parsed ? "wrong" : "invalid reply");
    return element("li", { class: right ? "right" : "wrong" },
      element("p", {}, element("strong", {}, right ? "right" : "wrong"), ` ${name}`, said === null ? null : element("q", {}, said)),
      element("dl", {},
        meant === null ? null : line("gold", meant),
        ...replies.map((reply) => line(`${fed(reply.input)}: ${verdict(reply)}`, reply.reply, reply.right ? "right" : "wrong"))));
  }

  function samples(run) {
    const by = grouped(run.samples, (one) => one.utterance);
    const shown = run.samples.some((one) => one.said !== null);
    return section("samples", "Sample predictions",
      element("p", { class: "note" }, "Selected by a hash of their ids, the same for every run where possible. Right means: intent and all entities are correct after normalisation. ",
        shown ? "" : "The terms of the corpus allow ids and replies to be shown, but not transcripts and gold labels."),
      element("ul", { class: "samples" }, ...[...by].map(([name, replies]) => sample(name, replies))));
  }

  function grouped(rows, key) {
    const by = new Map();
    for (const row of rows) by.set(key(row), [...(by.get(key(row)) ?? []), row]);
    return by;
  }

  function curve(run) {
    const place = element("div", { class: "plot", role: "img", "aria-label": "Training loss by update" });
    const rows = run.curve.updates.map((update, at) => ({ update, loss: run.curve.losses[at] }));
    const told = facts(run).find(([name]) => name === "ledger.updates")?.[1] ?? "";
    const stages = told.split(", ").map(Number);
    const ends = stages.slice(0, -1).map((_, at) => ({ stage: stages.slice(0, at + 1).reduce((a, b) => a + b, 0) }));
    app.load(document.body.dataset.plots).then(() => app.draw(place, app.charts.curve, [...rows, ...ends]));
    const last = rows.at(-1);
    const course = `From ${rows[0].loss.toFixed(3)} to ${last.loss.toFixed(3)} after ${last.update} updates; each point is the mean loss since the previous point.`;
    return section("curve", "Training curve", element("p", { class: "note" }, course, ends.length ? " Dashed lines separate the stages." : ""), place);
  }

  function again(run) {
    const button = element("button", { type: "button" }, "Copy");
    const command = element("code", { id: "command" }, run.command);
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(command);
      app.copy(run.command, null, button);
    });
    return section("again", "Reproduce this run",
      element("div", { class: "command" }, element("pre", { tabindex: "0" }, command), button),
      element("p", { class: "note" }, run.again));
  }

  const identity = (run) => section("identity", "Identity", pairs(run.identity));

  // Facts are names and values; those of the ledger are shown with the counts of the score rows.
  const facts = (run) => run.facts[0].map((name, at) => [name, run.facts[1][at]]);
  const counted = ["ledger.clips_bought", "ledger.minutes_bought", "ledger.target"];

  function ledger(run) {
    const told = facts(run).filter(([name]) => name.startsWith("ledger.") && !counted.includes(name));
    const titled = told.map(([name, value]) => [plainly(name.slice(7)).replaceAll(".", ", "), value]);
    return section("ledger", "Ledger: training data and compute used", pairs([...run.ledger, ...titled]));
  }

  function more(run) {
    const others = facts(run).filter(([name]) => !name.startsWith("ledger."));
    const groups = grouped(others, ([name]) => name.split(".")[0]);
    return section("more", "Card and inference",
      ...[...groups].map(([group, some]) =>
        element("details", {}, element("summary", {}, plainly(group)),
          pairs(some.map(([name, value]) => [plainly(name.slice(group.length + 1) || name), value])))));
  }

  function show(id, run) {
    document.title = `${run.title}, slubench`;
    const peers = run.peers.length < 2 ? null : element("nav", { class: "peers", "aria-label": "Runs of the same strategy, budget and task" },
      "Seeds ", ...run.peers.flatMap(([label, other]) => [
        other === id ? element("strong", { "aria-current": "page" }, label) : element("a", { href: `#${other}` }, label), " "]));
    main.replaceChildren(
      element("p", { class: "trail" }, element("a", { href: `index.html${run.panel ? `#at=${run.panel}` : ""}` }, "Leaderboard"), " / ",
        element("a", { href: run.page }, run.strategy)),
      element("h1", {}, run.title),
      element("p", { class: "lead" }, run.about),
      ...(run.banner ? [element("p", { class: "notice mini" }, run.banner)] : []),
      ...(peers ? [peers] : []),
      measures(run), again(run),
      ...(run.curve ? [curve(run)] : []),
      ...(run.samples.length ? [samples(run)] : []),
      identity(run), ledger(run),
      ...(run.facts[0].length ? [more(run)] : [element("p", { class: "note" }, "No record is stored with these scores, so its card, training curve and predictions cannot be shown.")]));
  }

  const unknown = (id) => main.replaceChildren(
    element("h1", {}, id ? "This leaderboard has no such run" : "Run"),
    element("p", { class: "lead" }, "In the tables of the ", element("a", { href: "index.html" }, "leaderboard"), ", each speech budget links to its runs."));

  async function open() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!/^[0-9a-f]{12}(-\d+)?$/.test(id)) return unknown(id);
    try {
      await app.load(`${shards}/${id.slice(0, Number(digits)) || "all"}.js`);
    } catch {
      return unknown(id);
    }
    const run = app.runs?.[id];
    return run ? show(id, run) : unknown(id);
  }

  addEventListener("hashchange", () => open().then(() => scrollTo(0, 0)));
  open();
})();
