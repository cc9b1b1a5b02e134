/* Viewer: one image at full size in PhotoSwipe, with its labels drawn over it and its record next to it. */
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const COLORS = ["#ff5a4f", "#4fa8ff", "#3ddc84", "#ffc53d", "#d78bff", "#35d6e0"];
const overlays = { boxes: true, masks: false, keypoints: true, depth: false };

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
}

function ringsPath(rings) {
  return rings.map((ring) => {
    const points = [];
    for (let place = 0; place < ring.length; place += 2) points.push(`${ring[place]} ${ring[place + 1]}`);
    return `M${points.join("L")}Z`;
  }).join("");
}

/* The labels of an image in its own pixels. */
function overlay(record) {
  const { row, outlines, depth } = record, { objects, width, height } = row;
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "overlay", "aria-hidden": "true" });
  if (overlays.depth && depth) {
    drawn.append(svg("image", { href: `data:image/webp;base64,${depth.webp}`, width, height, preserveAspectRatio: "none" }));
  }
  const stroke = Math.max(width, height) / 300;
  objects.bbox.forEach(([x, y, boxWidth, boxHeight], place) => {
    const color = COLORS[place % COLORS.length];
    if (overlays.masks && outlines && outlines[place].length) {
      drawn.append(svg("path", { d: ringsPath(outlines[place]), fill: color, "fill-opacity": 0.45, "fill-rule": "evenodd",
        stroke: color, "stroke-width": stroke / 2 }));
    }
    if (overlays.boxes) {
      drawn.append(svg("rect", { x, y, width: boxWidth, height: boxHeight, fill: "none", stroke: color, "stroke-width": stroke }));
    }
    if (overlays.keypoints && objects.keypoints) {
      objects.keypoints[place].filter(([, , visibility]) => visibility > 0).forEach(([px, py, visibility]) => drawn.append(
        svg("circle", { cx: px, cy: py, r: stroke * 2, fill: visibility > 1 ? color : "none", stroke: "#000", "stroke-width": stroke / 2 })));
    }
  });
  return drawn;
}

/* The thumbnail alone, where the image file is not next to the report. */
async function thumbnailUrl(row) {
  const { url, x, y, width, height } = await thumbnailPlace(row.set, row.thumbnail);
  const sheet = new Image(), canvas = element("canvas", { width, height });
  sheet.src = url;
  await sheet.decode();
  canvas.getContext("2d").drawImage(sheet, x, y, width, height, 0, 0, width, height);
  return canvas.toDataURL();
}

/* In place of a picture that is not there: the labels are drawn over it all the same. */
function showNoImage(content, old) {
  const { row } = content.data, [width, height] = content.shownSize || [0, 0];
  const made = element("div", { class: "missing", role: "img", "aria-label": `Image ${row.index}, no image file`,
    style: `width:${width}px;height:${height}px` }, "No image file: ", anyName(row.file));
  if (old) old.replaceWith(made); else content.element.append(made);
  content.onLoaded();
}

function showImage(content) {
  const { row } = content.data;
  if (row.thumbnail === NO_IMAGE) {
    showNoImage(content);
    return;
  }
  const image = element("img", { class: "pswp__img", alt: `Image ${row.index}, ${row.label}`, load: () => content.onLoaded() });
  image.addEventListener("error", () => {
    showThumbnail(image, row).catch(() => showNoImage(content, image));
  }, { once: true });
  content.element.append(image);
  if (setOf(row).has_image_files || row.thumbnail < 0) image.src = fileUrl(row.set, row.file);
  else showThumbnail(image, row).catch(() => showNoImage(content, image));
}

async function showThumbnail(image, row) {
  if (row.thumbnail < 0) throw new Error("no thumbnail");
  image.src = await thumbnailUrl(row);
}

function copyButton(text) {
  const button = element("button", { type: "button", click: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch (error) {
      button.textContent = "Select and copy it by hand";
    }
  } }, "Copy");
  return button;
}

function toggles(record, redraw) {
  const has = { boxes: record.row.objects.bbox.length > 0, masks: Boolean(record.outlines),
    keypoints: Boolean(record.row.objects.keypoints), depth: Boolean(record.depth) };
  return element("p", {}, ...Object.keys(overlays).filter((name) => has[name]).map((name) => {
    const box = element("input", { type: "checkbox", change: () => { overlays[name] = box.checked; redraw(); } });
    box.checked = overlays[name];
    return element("label", {}, box, name[0].toUpperCase() + name.slice(1));
  }));
}

function setOf(row) {
  return report.sets.find((one) => one.id === row.set);
}

function renderAgain(row, record) {
  return `${setOf(row).generate_again} --index ${record.row.index}`;
}

function panelContent(row, record, redraw) {
  const { row: own } = record, objects = own.objects;
  const command = renderAgain(row, record);
  return [
    element("h3", {}, anyName(own.label)),
    element("p", {}, `Image ${own.index}, `, anyName(own.split), `, ${own.width} × ${own.height} px, line ${record.line} of manifest.jsonl`),
    toggles(record, redraw),
    record.depth ? element("p", {}, `Depth from ${numberText(record.depth.near_m)} m (white) to ${numberText(record.depth.far_m)} m (black).`) : "",
    element("ul", {}, ...objects.bbox.map((_, place) => element("li", { style: `color:${COLORS[place % COLORS.length]}` },
      anyName(`${objects.category[place]}, ${objects.colorway[place]}`), `, ${percent(objects.visible_fraction[place])} visible`))),
    setOf(row).has_image_files && row.thumbnail !== NO_IMAGE ? element("p", {}, element("a", { href: fileUrl(row.set, own.file_name), target: "_blank",
      rel: "noopener" }, "Open the image file")) : "",
    element("h3", {}, "Render it again"), element("p", {}, "In the folder of the data set:"),
    element("p", {}, element("code", {}, command)), element("p", {}, copyButton(command)),
    element("details", {}, element("summary", {}, "Whole record"),
      element("pre", { tabindex: "0" }, JSON.stringify(own, null, 1))),
  ];
}

/* Open the viewer on one of some rows of the table. */
function openViewer(rows, index) {
  const sizeOf = (row) => report.sets.find((set) => set.id === row.set).resolution || [224, 224];
  const fill = (level) => Math.min(level.panAreaSize.x / level.elementSize.x, level.panAreaSize.y / level.elementSize.y);
  const isNarrow = () => innerWidth <= 760;
  const viewer = new PhotoSwipe({
    dataSource: { gallery: null, items: [] }, index, loop: false, bgOpacity: 1, showHideAnimationType: "fade",
    initialZoomLevel: fill, secondaryZoomLevel: (level) => fill(level) * 2.5, maxZoomLevel: (level) => fill(level) * 10,
    paddingFn: () => (isNarrow() ? { top: 44, bottom: innerHeight * 0.42, left: 0, right: 0 } : { top: 44, bottom: 12, left: 12, right: 352 }),
    returnFocus: true, wheelToZoom: true,
  });
  viewer.addFilter("numItems", () => rows.length);
  viewer.addFilter("itemData", (_, place) => {
    const [width, height] = sizeOf(rows[place]);
    return { type: "labelled", width, height, row: rows[place] };
  });
  viewer.addFilter("isContentZoomable", () => true);
  viewer.addFilter("useContentPlaceholder", () => false);
  viewer.on("contentLoad", (event) => {
    event.preventDefault();
    const { content } = event;
    content.state = "loading";
    content.element = element("div", { class: "labelled" });
    showImage(content);
    recordOf(content.data.row.set, content.data.row.place).then((record) => {
      content.record = record;
      drawOverlay(content);
    }).catch(() => null); // the panel states why
  });
  viewer.on("contentResize", ({ content, width, height }) => {
    content.shownSize = [width, height];
    for (const child of content.element ? content.element.children : []) {
      child.style.width = `${width}px`;
      child.style.height = `${height}px`;
    }
  });
  viewer.on("uiRegister", () => viewer.ui.registerElement({
    name: "panel", className: "pswp__panel", appendTo: "root", order: 20,
    onInit: (panel) => {
      panel.setAttribute("role", "region");
      panel.setAttribute("aria-label", "The record of this image");
      ["wheel", "pointerdown"].forEach((name) => panel.addEventListener(name, (event) => event.stopPropagation()));
      viewer.on("change", () => fillPanel(panel, viewer, rows));
    },
  }));
  viewer.init();
  viewer.element.setAttribute("aria-label", "Image with its labels");
}

function drawOverlay(content) {
  if (!content.element || !content.record) return;
  content.element.querySelectorAll("svg").forEach((old) => old.remove());
  const drawn = overlay(content.record);
  const [width, height] = content.shownSize || [0, 0];
  Object.assign(drawn.style, { width: `${width}px`, height: `${height}px` });
  content.element.append(drawn);
}

async function fillPanel(panel, viewer, rows) {
  const row = rows[viewer.currIndex];
  const record = await recordOf(row.set, row.place).catch((error) => error);
  if (rows[viewer.currIndex] !== row) return;
  if (record instanceof Error) {
    panel.replaceChildren(element("p", {}, record.message));
    return;
  }
  const redraw = () => viewer.mainScroll.itemHolders.forEach(({ slide }) => slide && drawOverlay(slide.content));
  panel.replaceChildren(...panelContent(row, record, redraw));
}
