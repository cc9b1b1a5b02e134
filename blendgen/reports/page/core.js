/* The data of the page, elements, chunks that are loaded when needed. Text is only ever set as text. */
"use strict";
const report = window.blendgenReport;
report.data = JSON.parse(document.getElementById("report-data").textContent);
report.sets = report.data.sets;
report.isComparison = report.sets.length > 1;
const NO_IMAGE = -2; // instead of the number of a thumbnail

/* element("p", {class: "quiet"}, "text", child): strings become text, functions listeners. */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function anyName(text) {
  return element("bdi", { class: "any-name" }, String(text));
}

function numberText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? value.toLocaleString("en") : Number(value.toPrecision(4)).toString();
}

function chance(p) {
  return p !== null && p < 1e-4 ? "< 0.0001" : numberText(p);
}

function percent(share) {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/* A chunk of the page itself, or of a script in report_files. */
function chunk(name) {
  if (name in report.chunks) return Promise.resolve(report.chunks[name]);
  return new Promise((resolve, reject) => {
    const isFirst = !report.waiting[name];
    (report.waiting[name] = report.waiting[name] || []).push({ resolve, reject });
    if (!isFirst) return;
    const file = `${report.data.files_folder}/${name.replaceAll("/", "-")}.js`;
    const src = file.split("/").map(encodeURIComponent).join("/");
    document.head.append(element("script", { src, error: () => {
      const waiting = report.waiting[name] || [];
      delete report.waiting[name];
      waiting.forEach((one) => one.reject(new Error(`${file} is missing`)));
    } }));
  });
}

/* A function that finds the position of a value among the names of bins, -1 if it is none of them. Names of numbers
   have six digits, values of rows four. */
function placeFinder(names) {
  const numbers = names.map(Number), known = new Map();
  const nearest = (value) => {
    const off = numbers.map((number) => (Number.isNaN(number) ? Infinity : Math.abs(number - value)));
    const place = off.indexOf(Math.min(...off));
    return off[place] <= 0.0006 * Math.abs(value) ? place : -1;
  };
  return (value) => {
    if (!known.has(value)) known.set(value, typeof value === "number" ? nearest(value) : names.indexOf(value));
    return known.get(value);
  };
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const recordChunks = new Map();

/* {line, row, outlines, depth} of an image of the gallery. */
async function recordOf(set, place) {
  const name = `${set}/records-${Math.floor(place / report.data.records_per_chunk)}`;
  if (!recordChunks.has(name)) {
    if (recordChunks.size > 20) recordChunks.clear();
    recordChunks.set(name, chunk(name).then(unpacked));
  }
  return (await recordChunks.get(name))[place % report.data.records_per_chunk];
}

const sheetUrls = new Map();

function webpUrl(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
}

/* {url, x, y, width, height}: where a thumbnail is on its sheet, which has a square for each, in pixels. */
async function thumbnailPlace(set, number) {
  const { thumbnails_per_sheet: perSheet, thumbnails_per_row: perRow, thumbnail_px: side } = report.data;
  const name = `${set}/sheet-${Math.floor(number / perSheet)}`;
  if (!sheetUrls.has(name)) sheetUrls.set(name, chunk(name).then(webpUrl));
  const place = number % perSheet, sizes = report.sets.find((one) => one.id === set).resolution || [1, 1];
  const [width, height] = sizes.map((size) => Math.max(1, Math.round((size * side) / Math.max(...sizes))));
  return { url: await sheetUrls.get(name), width, height,
    x: (place % perRow) * side + Math.floor((side - width) / 2), y: Math.floor(place / perRow) * side + Math.floor((side - height) / 2) };
}

/* A path of a row as a URL relative to the page. */
function fileUrl(set, file) {
  const folder = report.sets.find((one) => one.id === set).folder;
  return [...folder.split("/"), ...file.split("/")].filter((part) => part).map(encodeURIComponent).join("/");
}

function section(id, title, ...content) {
  document.getElementById("contents").append(element("li", {}, element("a", { href: `#${id}` }, title)));
  const made = element("section", { id, "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, title), ...content);
  document.getElementById("main").append(made);
  return made;
}

/* Rows of cells; a cell is a string, a node, or {number}. */
function plainTable(label, heads, rows) {
  const cell = (tag, value) => {
    const isNumber = value !== null && typeof value === "object" && "number" in value;
    const shown = isNumber ? numberText(value.number) : value;
    return element(tag, { class: isNumber ? "number" : null, scope: tag === "th" ? "col" : null }, shown ?? "");
  };
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${label}, table` },
    element("table", { class: "plain" },
      element("thead", {}, element("tr", {}, ...heads.map((head) => cell("th", head)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((value) => cell("td", value)))))));
}
