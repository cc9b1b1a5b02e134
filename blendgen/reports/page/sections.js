/* Sections: everything that is known of whole data sets, from report.json. */
"use strict";

const UNITS = { _deg: "degrees", _mm: "mm", _m: "m", _px: "pixels", _s: "s", _ev: "stops", _k: "K", _db: "dB", _e: "electrons" };

function unitOf(name) {
  const ending = Object.keys(UNITS).find((one) => name.endsWith(one));
  return ending ? UNITS[ending] : null;
}

/* A name of a parameter, which may break after its dots. */
function breakable(name) {
  return element("span", {}, ...name.split(/(?<=[._])/).flatMap((part) => [part, element("wbr")]));
}

function setHeading(set) {
  return report.isComparison ? element("h3", {}, anyName(set.name_here)) : null;
}

function tableLabel(set, text) {
  return report.isComparison ? `${text}, data set ${set.id}` : text;
}

function perSet(make) {
  return element("div", { class: "grid pair" }, ...report.sets.map((set) =>
    element("div", { class: report.isComparison ? "card" : "card wide" }, setHeading(set), make(set))));
}

function alerts() {
  const lines = report.sets.flatMap((set) => {
    const before = report.isComparison ? `${set.name_here}: ` : "";
    return set.alerts.map((line) => element("li", {}, anyName(before + line)));
  });
  if (lines.length) document.querySelector("header").append(element("ul", { class: "alerts", "aria-label": "Warnings" }, ...lines));
}

function legend() {
  const items = report.isComparison
    ? report.sets.map((set, place) => element("span", {},
      element("i", { style: `background:var(--${place ? "other-bar" : "bar"})` }), anyName(set.name_here)))
    : [element("span", {}, element("i", { style: "background:var(--bar)" }), "sampled"),
      element("span", {}, element("i", { style: "background:var(--chosen)" }), "images that the filters leave")];
  return element("div", { class: "legend" }, ...items,
    element("span", {}, element("i", { class: "rule" }), "asked for in the spec"));
}

function madeSection() {
  const facts = [...new Set(report.sets.flatMap((set) => set.facts.map(([name]) => name)))];
  const of = (set, name) => (set.facts.find(([own]) => own === name) || [null, ""])[1];
  section("made", "How it was made",
    plainTable("How it was made", ["what", ...report.sets.map((set) => (report.isComparison ? anyName(set.name_here) : "value"))],
      facts.map((name) => [name, ...report.sets.map((set) => anyName(of(set, name)))])));
}

function balanceSection() {
  const splits = (set) => plainTable(tableLabel(set, "Splits"), ["split", { number: "images" }, { number: "share" }, { number: "asked for" }],
    set.split_shares.map((one) => [anyName(one.split), { number: one.images }, { number: percent(one.share) },
      { number: one.expected === null ? "" : percent(one.expected) }]));
  const colorways = (set) => element("details", {},
    element("summary", {}, `Objects of each class, product and colourway (${set.colorways.length})`),
    plainTable(tableLabel(set, "Colourways"), ["class", "product", "colourway", { number: "objects" }],
      set.colorways.map((one) => [anyName(one.label), anyName(one.product), anyName(one.colorway), { number: one.objects }])));
  section("balance", "Balance", element("p", { class: "quiet" }, "Click a bar to see its images."),
    perSet((set) => element("div", {}, balanceChart(set), splits(set), colorways(set))));
}

function parameterCards() {
  const names = [...new Set(report.sets.flatMap((set) => Object.keys(set.parameters)))].sort();
  return names.map((name) => {
    const own = report.sets.filter((set) => set.parameters[name]).map((set) => [set, set.parameters[name]]);
    const differs = own.some(([, one]) => one.differs);
    const isSameKind = new Set(own.map(([, one]) => one.kind)).size === 1;
    return element("div", { class: "card" }, element("h3", {}, breakable(name)),
      element("p", { class: "asked" }, anyName([...new Set(own.map(([, one]) => one.distribution))].join(" | "))),
      differs ? element("span", { class: "badge" }, "not what was asked for") : null,
      ...(isSameKind ? [own] : own.map((one) => [one])).map((some) => histogramChart(name, some, name, unitOf(name))));
  });
}

function parametersSection() {
  const missing = [...new Set(report.sets.flatMap((set) => set.parameters_without_values))];
  const named = (set, note) => (report.isComparison ? `${set.name_here}: ${note}` : note);
  const isOfAll = (note) => report.sets.every((set) => set.parameter_notes.includes(note));
  const texts = report.sets.flatMap((set) => set.parameter_notes.map((note) => (isOfAll(note) ? note : named(set, note))));
  const notes = [...new Set(texts)].map((text) => element("p", { class: "quiet" }, anyName(text)));
  section("parameters", "Sampled parameters", ...notes, legend(),
    element("div", { class: "grid" }, ...parameterCards()),
    missing.length ? element("p", { class: "quiet after" },
      `Varied, but not stated in rows by value: ${missing.join(", ")}.`) : null);
}

function shareEdges(counts) {
  return { counts, edges: [...counts.keys(), counts.length].map((place) => Number((place / counts.length).toFixed(4))) };
}

function labelsSection() {
  const of = (make) => report.sets.map((set) => [set, make(set)]);
  const perImage = (set) => ({ names: Object.keys(set.images_per_object_count), counts: Object.values(set.images_per_object_count) });
  const card = (title, note, ...content) => element("div", { class: "card" }, element("h3", {}, title),
    element("p", { class: "quiet" }, note), ...content);
  section("labels", "Labels", element("div", { class: "grid" },
    card("Box centres", "Where in the image the visible boxes are.",
      ...report.sets.map((set) => element("div", {}, setHeading(set), heatChart(set)))),
    card("Size", "Square root of the share of the image that a box covers.",
      histogramChart("box sizes", of((set) => shareEdges(set.box_size_share)), "size_share")),
    card("Visible fraction", "Share of each object that can be seen.",
      histogramChart("visible fractions", of((set) => shareEdges(set.visible_fraction)), "visible_fraction")),
    card("Objects in an image", "Visible products.", histogramChart("objects in an image", of(perImage), "objects"))));
}

function qualitySection() {
  const card = (name, note) => {
    const own = report.sets.filter((set) => set.quality[name]).map((set) => [set, set.quality[name]]);
    return own.length ? element("div", { class: "card" }, element("h3", {}, name[0].toUpperCase() + name.slice(1)),
      element("p", { class: "quiet" }, note), histogramChart(name, own, name)) : null;
  };
  const list = (set, name, title) => {
    const shown = set.quality[name].flat(), count = set.quality.counts[name];
    const show = () => report.showOnly(set.id, [...new Set(shown)], title);
    const text = set.quality[name].length < count ? `Show ${numberText(set.quality[name].length)}` : "Show";
    const label = `${text}: ${tableLabel(set, title)}`;
    return [title, { number: count }, count ? element("button", { type: "button", click: show, "aria-label": label }, text) : ""];
  };
  const lists = (set) => plainTable(tableLabel(set, "Images to look at"), ["images to look at", { number: "found" }, "which"], [
    list(set, "dark", "dark: 99 % of the pixels are below 64"), list(set, "bright", "bright: 95 % of the pixels are above 192"),
    list(set, "blurred", "far less sharp than most"), list(set, "near_duplicates",
      `pairs that look the same, of different shots${set.quality.near_duplicates_are_complete ? "" : " (too many are alike to compare all)"}`),
    ["cannot be read", { number: set.quality.counts.unreadable },
      set.quality.unreadable.length ? anyName(set.quality.unreadable[0].message) : ""]]);
  section("quality", "Image quality",
    element("p", { class: "quiet" }, "Measured from the pixels of ",
      report.sets.map((set) => `${numberText(set.quality.measured_images)} of ${numberText(set.images)} images`).join(" and "), "."),
    perSet(lists),
    element("div", { class: "grid", style: "margin-top:14px" },
      card("brightness", "Mean level, 0 to 255."), card("sharpness", "Deviation of the Laplacian, less that of noise."),
      card("noise", "Deviation in levels (Immerkær); fine texture counts too.")));
}

function shortcutsSection() {
  const heads = ["nuisance", { number: "bits" }, { number: "share" }, { number: "by chance" }];
  const line = (one) => [element("span", {}, breakable(one.name), " ", one.warns ? element("span", { class: "badge" }, "shortcut") : ""),
    { number: one.mutual_information_bits.toFixed(3) }, { number: `${(100 * one.share).toFixed(2)} %` }, { number: chance(one.p) }];
  const table = (set) => {
    const some = set.shortcuts.filter((one) => one.warns || one.share > 0);
    const none = set.shortcuts.filter((one) => !some.includes(one));
    return element("div", {},
      some.length ? plainTable(tableLabel(set, "Shortcuts"), heads, some.map(line)) : element("p", {}, "Nothing tells anything about the class."),
      none.length ? element("details", {}, element("summary", {}, `${none.length} that tell nothing about the class`),
        plainTable(tableLabel(set, "Nuisances without a share"), heads, none.map(line))) : null);
  };
  section("shortcuts", "Shortcuts",
    element("p", {}, "What a classifier could learn instead of the products: mutual information between the class of an image " +
      "and what should not depend on it, less what a few images share by chance. Share: of all there is to know about the " +
      "class. By chance: how often as much comes about where nothing depends on the class."),
    perSet(table));
}

function failuresSection() {
  const table = (set) => {
    const { listed, per_reason: reasons } = set.failures;
    const counts = Object.entries(reasons).map(([reason, count]) => `${numberText(count)} ${reason}`).join(", ");
    const attempts = Object.entries(set.attempts).map(([attempt, shots]) => [
      attempt === "9" ? "10 or more" : { number: Number(attempt) + 1 }, { number: shots }]);
    return element("div", {},
      element("p", {}, counts ? `Images that cannot be made: ${counts}.` : "All wanted images could be made, or have not been tried."),
      listed.length ? plainTable(tableLabel(set, "Images that cannot be made"), [{ number: "image" }, { number: "attempts" }, "reason", "message"],
        listed.map((one) => [{ number: one.index }, { number: one.attempts }, one.reason, anyName(one.message)])) : null,
      element("p", { class: "quiet after" },
        `${numberText(set.resampled_shots)} of ${numberText(set.shots)} shots were sampled more than once, as their first values did not make a scene or hid the subject.`),
      set.resampled_shots ? plainTable(tableLabel(set, "Attempts"), [{ number: "attempts" }, { number: "shots" }], attempts) : null);
  };
  section("failures", "Rejected and failed", perSet(table));
}
