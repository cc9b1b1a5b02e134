/* Charts: Vega-Lite specifications of histograms and maps, drawn when they come into view. */
"use strict";
const charts = [];

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function theme() {
  const quiet = color("quiet"), line = color("line");
  const axis = { labelColor: quiet, titleColor: quiet, domainColor: line, tickColor: line, gridColor: line,
    gridOpacity: 0.6, labelFontSize: 11, labelOverlap: "greedy", labelSeparation: 6, titleFontSize: 11, titleFontWeight: 400 };
  return { background: "transparent", view: { stroke: null }, axis, font: "system-ui, sans-serif",
    legend: { labelColor: color("ink"), titleColor: quiet, labelLimit: 160 } };
}

/* A chart in a figure. specify() returns its specification; selectedBins(selection) the bars of what the filters
   leave, for charts in view only: the others are behind (isStale) until they come into view. */
function chart(label, specify, options = {}) {
  const place = element("div", { class: "chart", role: "img", "aria-label": label,
    style: options.height ? `min-height:${options.height}px` : null });
  const one = { place, specify, click: options.click, selectedBins: options.selectedBins, view: null,
    isInView: false, isStale: false };
  charts.push(one);
  watcher.observe(place);
  return place;
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const one = charts.find((other) => other.place === entry.target);
    one.isInView = entry.isIntersecting;
    if (!one.isInView) continue;
    if (!one.isDrawn) draw(one);
    else if (one.isStale) updateSelected(one);
  }
}, { rootMargin: "300px" });

async function draw(one) {
  one.isDrawn = true;
  if (one.view) one.view.finalize();
  const holder = element("div", { "aria-hidden": "true", style: "width:100%" });
  one.place.replaceChildren(holder);
  const spec = { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container",
    autosize: { type: "fit-x", contains: "padding" }, ...one.specify() };
  const { view } = await vegaEmbed(holder, spec, { actions: false, renderer: "svg", config: theme(),
    tooltip: { theme: "custom" }, logLevel: vega.Error });
  one.view = view;
  if (one.click) {
    view.addEventListener("click", (event, item) => item && item.datum && one.click(item.datum));
  }
  updateSelected(one);
}

function updateSelected(one) {
  if (!one.view || !one.selectedBins || !report.selection) return;
  one.isStale = !one.isInView;
  if (one.isStale) return;
  const bars = report.selection.isAll ? [] : one.selectedBins(report.selection);
  one.view.change("selected", vega.changeset().remove(() => true).insert(bars)).runAsync();
}

/* Draw over all charts what the filters leave: {isAll, numbers of rows, column(name) with the values of all rows}. */
function showSelection(selection) {
  report.selection = selection;
  charts.forEach(updateSelected);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  charts.filter((one) => one.view).forEach(draw);
});

function total(counts) {
  return counts.reduce((sum, count) => sum + count, 0);
}

/* Bins of one or two data sets: {set, low, high, name, count, share, expected}. */
function binsOf(histograms) {
  return histograms.flatMap(([set, one]) => {
    const all = total(one.counts) || 1;
    return one.counts.map((count, place) => ({
      set: set.name_here,
      ...(one.edges ? { low: one.edges[place], high: one.edges[place + 1] } : { name: one.names[place] }),
      count, share: count / all,
      expected: one.expected ? (report.isComparison ? one.expected[place] / all : one.expected[place]) : null,
    }));
  });
}

function setColor(bare) {
  if (!report.isComparison) return { value: color(bare ? "ink" : "bar") };
  const range = bare ? [color("accent"), color("second")] : [color("bar"), color("other-bar")];
  return { field: "set", type: "nominal", legend: null,
    scale: { domain: report.sets.map((one) => one.name_here), range } };
}

const tooltip = (first) => [...first, { field: "count", title: "images", type: "quantitative" },
  { field: "share", format: ".1%", type: "quantitative" },
  { field: "expected", title: "asked for", format: ".3~g", type: "quantitative" },
  ...(report.isComparison ? [{ field: "set", title: "data set", type: "nominal" }] : [])];

function countFormat() {
  return report.isComparison ? { format: "%" } : { labelExpr: "format(datum.value, '~s')", tickMinStep: 1 };
}

function numberSpec(histograms, unit) {
  const y = report.isComparison ? "share" : "count";
  const isLog = histograms.some(([, one]) => one.log);
  const x = { field: "low", type: "quantitative", bin: "binned", title: unit || null,
    scale: { zero: false, nice: false, ...(isLog ? { type: "log" } : {}) }, axis: { grid: false, tickCount: 5 } };
  const bar = { type: "bar", stroke: null, binSpacing: 1, cursor: "pointer" };
  const axis = { title: null, tickCount: 4, ...countFormat() };
  const tips = tooltip([{ field: "low", title: "from", format: ".4~g", type: "quantitative" },
    { field: "high", title: "to", format: ".4~g", type: "quantitative" }]);
  const bars = (layer) => ({ ...layer, encoding: { x, x2: { field: "high" },
    y: { field: y, type: "quantitative", stack: null, axis }, tooltip: tips, ...layer.encoding } });
  const other = report.isComparison ? [bars({ data: { name: "other" }, mark: { ...bar, fillOpacity: 0.001 } })] : [];
  return {
    height: 130,
    datasets: { all: binsOf(histograms), selected: [], ...outlinesOf(histograms) },
    layer: [
      ...other,
      bars({ data: { name: report.isComparison ? "first" : "all" }, mark: bar, encoding: { color: setColor(false) } }),
      bars({ data: { name: "selected" }, mark: { ...bar, color: color("chosen") } }),
      { data: { name: "outline" }, mark: { type: "line", interpolate: "step-after", strokeWidth: 2, color: color("second") },
        encoding: { x: { ...x, field: "edge", bin: undefined }, y: { field: "share", type: "quantitative" },
          order: { field: "place", type: "quantitative" } } },
      { data: { name: "all" }, transform: [{ filter: "isValid(datum.expected)" }],
        mark: { type: "rule", strokeWidth: 2, strokeDash: report.isComparison ? [2, 2] : [] },
        encoding: { x: { ...x, bin: undefined }, x2: { field: "high" }, y: { field: "expected", type: "quantitative" },
          color: setColor(true) } },
    ],
  };
}

/* Of two data sets: bars of the first one, and a line around those of the second, whose colours then do not mix. */
function outlinesOf(histograms) {
  const other = histograms.filter(([set]) => set.id === "b");
  const first = binsOf(histograms.filter(([set]) => set.id === "a")), second = binsOf(other), last = second.at(-1);
  const edges = last ? [{ edge: second[0].low, share: 0 }, ...second.map(({ low, share }) => ({ edge: low, share })),
    { edge: last.high, share: last.share }, { edge: last.high, share: 0 }] : [];
  return { first, other: second, outline: edges.map((one, place) => ({ ...one, place })) };
}

function nameSpec(histograms, names) {
  const x = report.isComparison ? "share" : "count";
  const axis = { title: null, tickCount: 4, ...countFormat() };
  const y = { field: "name", type: "nominal", sort: names, title: null, axis: { labelLimit: 130 } };
  const offset = report.isComparison ? { yOffset: { field: "set", sort: null } } : {};
  const quantity = { field: x, type: "quantitative", stack: null, axis };
  const tips = tooltip([{ field: "name", type: "nominal", title: "value" }]);
  return {
    height: { step: report.isComparison ? 12 : 20 },
    datasets: { all: binsOf(histograms), selected: [] },
    layer: [
      { data: { name: "all" }, mark: { type: "bar", cursor: "pointer" },
        encoding: { y, ...offset, x: quantity, color: setColor(false), tooltip: tips } },
      { data: { name: "selected" }, mark: { type: "bar", cursor: "pointer", color: color("chosen") },
        encoding: { y, x: quantity, tooltip: tips } },
      { data: { name: "all" }, transform: [{ filter: "isValid(datum.expected)" }],
        mark: { type: "tick", thickness: 2 },
        encoding: { y, ...offset, x: { field: "expected", type: "quantitative" }, color: setColor(true) } },
    ],
  };
}

/* What the chart shows, for people who do not see it. */
function histogramLabel(title, histograms) {
  const parts = histograms.map(([set, one]) => {
    const most = one.counts.indexOf(Math.max(...one.counts));
    const where = one.edges ? `${numberText(one.edges[most])} to ${numberText(one.edges[most + 1])}` : one.names[most];
    const asked = one.distribution ? `, asked for ${one.distribution}` : "";
    return `${report.isComparison ? `${set.name_here}: ` : ""}${one.counts.length} bins, most often ${where}${asked}`;
  });
  return `Histogram of ${title}: ${parts.join("; ")}`;
}

/* A histogram of a column of the table, or of what is only counted. */
function histogramChart(title, histograms, column, unit) {
  const names = [...new Set(histograms.flatMap(([, one]) => one.names || []))];
  const specify = () => (names.length ? nameSpec(histograms, names) : numberSpec(histograms, unit));
  const first = histograms[0][1];
  return chart(histogramLabel(title, histograms), specify, {
    height: names.length ? names.length * 20 + 30 : 150,
    click: column && ((datum) => report.filterBy(column, names.length ? { value: datum.name, names }
      : { low: datum.low, high: datum.high, isLast: datum.high === first.edges[first.edges.length - 1] })),
    selectedBins: column && !report.isComparison ? selectedBins(first, column) : null,
  });
}

/* The bin of each value, -1 for none: computed once, so that a filter only counts them. */
function binNumbers(one, values) {
  const placeOf = one.names && placeFinder(one.names), most = one.counts.length - 1;
  const numberPlace = (value) => {
    let low = 0, high = most;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (one.edges[middle] <= value) low = middle; else high = middle - 1;
    }
    return low;
  };
  const place = placeOf || numberPlace;
  return Int16Array.from(values, (value) => (value === null || value === undefined ? -1 : place(value)));
}

/* A function that counts in its bins what the filters leave. */
function selectedBins(one, column) {
  let bins = null;
  return (selection) => {
    bins = bins || binNumbers(one, selection.column(column));
    const counts = new Array(one.counts.length).fill(0);
    for (const number of selection.numbers) if (bins[number] >= 0) counts[bins[number]] += 1;
    const all = total(counts) || 1;
    return counts.map((count, place) => ({ count, share: count / all,
      ...(one.edges ? { low: one.edges[place], high: one.edges[place + 1] } : { name: one.names[place] }) }))
      .filter((bin) => bin.count);
  };
}

function heatChart(set) {
  const cells = set.box_centers.flatMap((line, y) => line.map((count, x) => ({ x, y, count })));
  const [width, height] = set.resolution || [1, 1];
  const label = `Heat map of the centres of ${numberText(set.visible_objects)} boxes in the image`;
  return chart(label, () => ({
    height: 250, width: Math.round(Math.min(330, 250 * width / height)), autosize: "pad",
    data: { values: cells },
    view: { stroke: color("quiet") }, padding: 3,
    mark: { type: "rect" },
    encoding: {
      x: { field: "x", type: "ordinal", axis: null }, y: { field: "y", type: "ordinal", axis: null },
      color: { field: "count", type: "quantitative", title: "boxes", legend: { gradientLength: 120 },
        scale: { range: [color("raised"), color("chosen")], domainMin: 0 } },
      tooltip: [{ field: "count", title: "boxes" }],
    },
  }), { height: 260 });
}

function balanceChart(set) {
  const order = set.split_shares.map((one) => one.split);
  const rows = set.images_per_class_and_split.map((one) => ({ ...one, place: order.indexOf(one.split) }));
  return chart(`Images of each of ${set.classes} classes, by split`, () => ({
    height: { step: 20 },
    data: { values: rows },
    mark: { type: "bar", cursor: "pointer" },
    encoding: {
      y: { field: "label", type: "nominal", sort: null, title: null, axis: { labelLimit: 160 } },
      x: { field: "images", type: "quantitative", axis: { title: null, tickCount: 5, tickMinStep: 1 } },
      order: { field: "place", type: "quantitative" },
      color: { field: "split", type: "nominal", sort: order, title: "split", legend: { orient: "top" },
        scale: { range: [color("chosen"), color("second"), color("quiet"), color("bar"), color("other-bar")] } },
      tooltip: [{ field: "label" }, { field: "split" }, { field: "images" }],
    },
  }), {
    height: set.classes * 20 + 60,
    click: (datum) => { report.filterBy("label", { value: datum.label }); report.filterBy("split", { value: datum.split }); },
  });
}
