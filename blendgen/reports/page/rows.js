/* Rows of all images: the values of each column in one array, so that a row is a number that looks them up. */
"use strict";

class ImageRow {
  constructor(number) {
    this.number = number;
  }

  get set() { return setOfNumber(this.number).id; }

  get place() { return this.number - setOfNumber(this.number).start; } // in the chunks of its data set
}

function setOfNumber(number) {
  return report.sets.findLast((set) => set.start <= number);
}

/* The chunks of the table of all data sets, as rows. */
async function allRows() {
  const names = [...new Set(report.sets.flatMap((set) => set.columns))];
  const parts = new Map(names.map((name) => [name, []]));
  let count = 0;
  for (const set of report.sets) {
    set.start = count;
    for (let number = 0; number * report.data.rows_per_chunk < set.gallery_images; number += 1) {
      const key = `${set.id}/rows-${number}`, columns = await chunk(key);
      for (const name of set.columns) {
        parts.get(name).push({ start: count + number * report.data.rows_per_chunk, column: columns[name] });
      }
      delete report.chunks[key]; // the arrays have it all
    }
    count += set.gallery_images;
  }
  for (const name of names) {
    defineColumn(name, columnOf(parts.get(name), count));
    parts.delete(name);
  }
  if (report.isComparison) defineColumn("data set", { value: (number) => setOfNumber(number).name_here });
  return Array.from({ length: count }, (_, number) => new ImageRow(number));
}

function defineColumn(name, column) {
  gallery.columns.set(name, column);
  Object.defineProperty(ImageRow.prototype, name, {
    get() { return column.value(this.number); },
    set() { /* cells of Tabulator write the value back that they have read */ },
  });
}

/* Numbers as they are; as names where a part has names or truth values. */
function columnOf(parts, count) {
  const isPlain = (value) => value === null || value === undefined || typeof value === "number";
  const isNumber = parts.every(({ column }) => Array.isArray(column) && column.every(isPlain));
  return isNumber ? numberColumn(parts, count) : nameColumn(parts, count);
}

function numberColumn(parts, count) {
  const values = new Float64Array(count).fill(NaN);
  for (const { start, column } of parts) {
    column.forEach((value, place) => { if (typeof value === "number") values[start + place] = value; });
  }
  return { isNumber: true, value: (number) => (Number.isNaN(values[number]) ? null : values[number]) };
}

function nameColumn(parts, count) {
  const codes = new Int32Array(count).fill(-1), names = [], known = new Map();
  const codeOf = (name) => {
    if (!known.has(name)) {
      known.set(name, names.length);
      names.push(name);
    }
    return known.get(name);
  };
  for (const { start, column } of parts) {
    if (Array.isArray(column)) {
      column.forEach((value, place) => { if (value !== null) codes[start + place] = codeOf(String(value)); });
    } else {
      const own = column.names.map(codeOf);
      column.codes.forEach((code, place) => { if (code >= 0) codes[start + place] = own[code]; });
    }
  }
  return { isNumber: false, value: (number) => (codes[number] < 0 ? null : names[codes[number]]) };
}

const matchers = new Map();

/* "0.2..0.5", ">3", "<=3", "=3" or a number for numbers; a part of the text for names. */
function matches(wanted, value) {
  if (!matchers.has(wanted)) {
    if (matchers.size > 50) matchers.clear();
    matchers.set(wanted, matcher(wanted.trim()));
  }
  return matchers.get(wanted)(value);
}

/* A function that tells whether a value matches; the same values are compared once. */
function matcher(text) {
  if (!text) return () => true;
  const ofNumber = numberMatcher(text), lower = text.toLowerCase(), known = new Map();
  return (value) => {
    if (typeof value === "number") return ofNumber(value);
    if (!known.has(value)) known.set(value, (value ?? null) !== null && String(value).toLowerCase().includes(lower));
    return known.get(value);
  };
}

function numberMatcher(text) {
  const range = text.match(/^(-?[\d.e+-]+)\s*\.\.\s*(-?[\d.e+-]+)$/i);
  if (range) {
    const low = Number(range[1]), high = Number(range[2]);
    return (value) => value >= low && value <= high;
  }
  const [, sign, number] = text.match(/^(>=|<=|>|<|=)?\s*(.+)$/);
  const limit = Number(number);
  if (Number.isNaN(limit)) return () => false;
  return { ">=": (value) => value >= limit, "<=": (value) => value <= limit, ">": (value) => value > limit,
    "<": (value) => value < limit }[sign] ?? ((value) => value === limit);
}
