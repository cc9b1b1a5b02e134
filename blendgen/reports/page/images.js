/* Images: thumbnails and the table of all images, filtered by its columns and by the charts. */
"use strict";
const PER_PAGE = 60;
const WIDTHS = { index: 100, label: 170, split: 90, colorway: 140 };
const ROW_PX = 27; // known beforehand, so that Tabulator need not measure each row
const gallery = { rows: [], shown: [], columns: new Map(), page: 0, chips: [], table: null, activeRows: null };

function columnsOfTable() {
  const names = [...gallery.columns.keys()].filter((name) => !["data set", "file", "thumbnail", "shot"].includes(name));
  return [...(report.isComparison ? ["data set"] : []), ...names].map((name) => {
    const { isNumber } = gallery.columns.get(name);
    return {
      title: name.replaceAll("_", " "), field: name, width: WIDTHS[name] || Math.max(110, 46 + 8.2 * name.length),
      hozAlign: isNumber ? "right" : "left", headerFilter: "input", headerFilterFunc: matches,
      headerFilterPlaceholder: isNumber ? "0.2..0.5" : "part of it",
      headerFilterParams: { elementAttributes: { "aria-label": `Filter ${name}` } },
      sorter: isNumber ? "number" : "string",
      formatter: (cell) => document.createTextNode(numberText(cell.getValue())),
    };
  });
}

function passesChips(row) {
  return gallery.chips.every((chip) => chip.test(row));
}

function addChip(key, text, test) {
  gallery.chips = [...gallery.chips.filter((chip) => chip.key !== key), { key, text, test }];
  applyChips();
}

function applyChips() {
  gallery.table.setFilter(passesChips);
}

/* From a chart: images whose value of a column is in a bin. */
report.filterBy = (column, bin) => {
  if (!gallery.table) return;
  const names = bin.names || [bin.value], placeOf = placeFinder(names), wanted = names.indexOf(bin.value);
  const sameName = (value) => placeOf(value) === wanted;
  const inside = (value) => typeof value === "number" && value >= bin.low && (bin.isLast ? value <= bin.high : value < bin.high);
  const text = "value" in bin ? `${column}: ${bin.value}` : `${column}: ${numberText(bin.low)} to ${numberText(bin.high)}`;
  addChip(column, text, (row) => ("value" in bin ? sameName(row[column]) : inside(row[column])));
};

/* From a list: exactly these images. */
report.showOnly = (set, indices, title) => {
  const wanted = new Set(indices);
  addChip("list", title, (row) => row.set === set && wanted.has(row.index));
  document.getElementById("images").scrollIntoView();
};

function showChips() {
  const places = document.getElementById("chips");
  const filters = gallery.table.getHeaderFilters().filter((one) => one.value);
  const clear = () => {
    gallery.chips = [];
    gallery.table.blockRedraw(); // one filter instead of two
    gallery.table.clearHeaderFilter();
    applyChips();
    gallery.table.restoreRedraw();
  };
  places.replaceChildren(
    element("span", { role: "status" }, `${numberText(gallery.shown.length)} of ${numberText(gallery.rows.length)} images`),
    ...gallery.chips.map((chip) => element("button", { type: "button", "aria-label": `Remove the filter ${chip.text}`,
      click: () => { gallery.chips = gallery.chips.filter((one) => one !== chip); applyChips(); } }, anyName(chip.text), " ×")));
  document.getElementById("selection").replaceChildren(...(gallery.chips.length || filters.length ? [
    element("span", {}, `${numberText(gallery.shown.length)} of ${numberText(gallery.rows.length)} images`),
    element("a", { href: "#images" }, "See them"), element("button", { type: "button", click: clear }, "Clear all filters")] : []));
}

/* In place of a picture that is not there. */
function noImage() {
  return element("span", { class: "thumb missing" }, "no image file");
}

async function thumbnail(row) {
  if (row.thumbnail === NO_IMAGE) return noImage();
  const place = row.thumbnail >= 0 ? await thumbnailPlace(row.set, row.thumbnail).catch(() => null) : null;
  if (!place) {
    const image = element("img", { class: "thumb", loading: "lazy", alt: "", src: fileUrl(row.set, row.file) });
    image.addEventListener("error", () => image.replaceWith(noImage()), { once: true });
    return image;
  }
  const { url, x, y, width, height } = place;
  return element("span", { class: "thumb" }, element("span", { style:
    `width:${width}px;height:${height}px;background-image:url(${url});background-position:-${x}px -${y}px` }));
}

async function showPage() {
  const list = document.getElementById("thumbs"), start = gallery.page * PER_PAGE;
  const rows = gallery.shown.slice(start, start + PER_PAGE);
  const pages = Math.max(1, Math.ceil(gallery.shown.length / PER_PAGE));
  document.getElementById("page-number").textContent = `Page ${gallery.page + 1} of ${numberText(pages)}`;
  document.getElementById("previous").disabled = gallery.page === 0;
  document.getElementById("next").disabled = gallery.page >= pages - 1;
  const items = await Promise.all(rows.map(async (row, place) => element("li", {},
    element("button", { type: "button", "aria-label": `Image ${row.index}, ${row.label}, ${row.split}${row.thumbnail === NO_IMAGE ? ", no image file" : ""}`,
      click: () => openViewer(gallery.shown, start + place) },
    await thumbnail(row), element("span", { class: "caption", "aria-hidden": "true" }, `${row.index} `, anyName(row.label))))));
  if (rows[0] === gallery.shown[gallery.page * PER_PAGE]) list.replaceChildren(...items); // not if it is late
}

function turn(pages) {
  gallery.page += pages;
  showPage();
}

/* After every filter and sort. Tabulator's own events would make an object for each row. */
function update() {
  const { activeRows } = gallery.table.rowManager;
  if (activeRows === gallery.activeRows) return;
  gallery.activeRows = activeRows;
  gallery.shown = activeRows.map((row) => row.data);
  gallery.page = 0;
  showChips();
  showPage();
  showSelection({
    isAll: gallery.shown.length === gallery.rows.length,
    numbers: Uint32Array.from(gallery.shown, (row) => row.number),
    column: (name) => gallery.rows.map((row) => row[name]),
  });
}

function imagesSection() {
  const parts = report.sets.filter((set) => set.gallery_images < set.images).map((set) =>
    `${report.isComparison ? `${set.name_here}: ` : ""}${numberText(set.gallery_images)} of ${numberText(set.images)} images are listed, evenly spaced.`);
  section("images", "Images",
    element("p", { class: "quiet" }, "Filter by the fields below the heads of the table, such as > 0.5 or 0.2..0.5, or click the charts. ", ...parts),
    element("div", { id: "chips", class: "chips" }),
    element("ul", { id: "thumbs", class: "thumbs" }),
    element("div", { class: "pager" },
      element("button", { type: "button", id: "previous", click: () => turn(-1) }, "Previous page"),
      element("span", { id: "page-number" }),
      element("button", { type: "button", id: "next", click: () => turn(1) }, "Next page")),
    element("div", { id: "table" }));
  document.getElementById("main").append(element("div", { id: "selection", role: "group", "aria-label": "Filters" }));
}

async function fillImages() {
  gallery.rows = await allRows();
  gallery.table = new Tabulator("#table", {
    data: gallery.rows, nestedFieldSeparator: false, height: 420, layout: "fitData", columns: columnsOfTable(),
    placeholder: "No image passes the filters", renderHorizontal: "virtual", headerSortTristate: true,
    rowHeight: ROW_PX, selectableRows: false,
  });
  gallery.table.on("rowClick", (_, row) => openViewer(gallery.shown, gallery.shown.indexOf(row.getData())));
  gallery.table.on("renderComplete", () => queueMicrotask(update));
  gallery.table.on("tableBuilt", () => {
    nameRoles();
    update();
  });
}

/* Tabulator's grid has a focusable element between the grid and its rows, which needs a role. */
function nameRoles() {
  const grid = document.getElementById("table");
  grid.removeAttribute("aria-owns");
  grid.setAttribute("aria-label", "Images");
  grid.querySelector(".tabulator-tableholder").setAttribute("role", "rowgroup");
  grid.querySelector(".tabulator-table").setAttribute("role", "presentation");
}
