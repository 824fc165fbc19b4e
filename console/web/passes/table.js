// Buildings and rounds from a file: CSV or GeoJSON in, rows for /desk/edit out (PROTOCOL.md 7.6), each with the line it came from.
// The server says what of it is new, changed or wrong; nothing counts before somebody said so.  No DOM.
import { folded, octets, roundId } from "./rules.js";

export const ROWS_MAX = 20000; // of one edit (7.6); beyond it the file is refused whole
export const STOPS_MAX = 1024; // buildings of one round
export const NAME_MAX = 64;    // octets
export const ADDRESS_MAX = 128;

// Column names as people write them.
const COLUMNS = { ref: ["id", "ref", "reference"], name: ["name", "nom", "immeuble", "building"], address: ["address", "adresse"], lat: ["lat", "latitude"],
  lon: ["lon", "lng", "long", "longitude"], sensitive: ["sensitive", "sensible"], qr: ["qr"], caretaker: ["caretaker", "gardien"],
  round: ["round", "tournee"], team: ["team", "equipe"] };
const YES = ["1", "yes", "true", "oui", "vrai", "x"];
const NO = ["0", "no", "false", "non", "faux"];

// The field that a column called NAME holds, or null.
function fieldOf(name) {
  const plain = folded(name.trim()).replace(/\s+/g, "_");
  return Object.keys(COLUMNS).find((field) => COLUMNS[field].includes(plain)) ?? null;
}

const separatorOf = (line) => [";", "\t", ","].map((c) => [line.split(c).length, c]).sort((a, b) => b[0] - a[0])[0][1];

// CSV as spreadsheets write it: quotes, line ends inside them, a mark at its beginning.  Gives [[line number, [cell, ...]], ...]; throws
// an Error "quote" with `line` where one is never closed.
export function csvRows(text) {
  const source = text.replace(/^\uFEFF/, "");
  const separator = separatorOf(source.split(/\r?\n/, 1)[0]);
  const rows = [];
  let [cells, cell, quoted, line, began] = [[], "", false, 1, 1];
  const endRow = () => {
    cells.push(cell);
    if (cells.some((c) => c.trim() !== "")) rows.push([began, cells]);
    [cells, cell] = [[], ""];
  };
  for (let i = 0; i < source.length; i++) {
    const c = source[i];
    if (c === "\n") line++;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (source[i + 1] === '"') cell += source[++i];
      else quoted = false;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === separator) {
      cells.push(cell);
      cell = "";
    } else if (c === "\n") {
      endRow();
      began = line;
    } else if (c !== "\r") cell += c;
  }
  if (quoted) throw Object.assign(new Error("quote"), { line: began });
  endRow();
  return rows;
}

// The lines of a CSV file as { line, fields }.  Throws an Error whose message is a word of its sentence.
function csvLines(text) {
  const [header, ...rows] = csvRows(text);
  if (!header) throw new Error("empty");
  const fields = header[1].map(fieldOf);
  if (!fields.includes("name") && !fields.includes("address")) throw new Error("header");
  return rows.map(([line, cells]) => ({ line, fields: Object.fromEntries(fields.map((field, i) => [field, (cells[i] ?? "").trim()]).filter(([field]) => field !== null)) }));
}

// The points of a GeoJSON file likewise; `line` is the feature's number.
function geoJsonLines(text) {
  let data;
  try {
    data = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new Error("json");
  }
  if (data?.type !== "FeatureCollection" || !Array.isArray(data.features)) throw new Error("features");
  return data.features.map((feature, i) => {
    const point = feature?.geometry?.type === "Point" ? feature.geometry.coordinates : null;
    const own = Object.entries(feature?.properties ?? {}).map(([name, value]) => [fieldOf(name), String(value ?? "").trim()]).filter(([field]) => field !== null);
    return { line: i + 1, fields: { ...Object.fromEntries(own), ...(Array.isArray(point) ? { lat: String(point[1]), lon: String(point[0]) } : { lat: "?", lon: "?" }) } };
  });
}

export const isJson = (name, text) => /\.(geo)?json$/i.test(name) || /^\s*\{/.test(text.replace(/^\uFEFF/, ""));

// What the file NAME says, line by line.  Throws as above; also "long" and "empty".
export function fileLines(name, text) {
  const lines = isJson(name, text) ? geoJsonLines(text) : csvLines(text);
  if (lines.length > ROWS_MAX) throw new Error("long");
  if (lines.length === 0) throw new Error("empty");
  return lines;
}

function flag(text, otherwise) {
  if (!text) return otherwise;
  const plain = folded(text);
  return YES.includes(plain) ? true : NO.includes(plain) ? false : null;
}

function degrees(text, most) {
  if (!text) return null;
  const n = Number(text.replace(",", "."));
  return Number.isFinite(n) && Math.abs(n) <= most ? Math.round(n * 1e7) / 1e7 : undefined;
}

function buildingOf(f) {
  const qr = flag(f.qr, true);
  return { name: f.name || f.address || "", address: f.address ?? "", lat: degrees(f.lat, 90), lon: degrees(f.lon, 180), sensitive: flag(f.sensitive, false), qr,
    caretaker: flag(f.caretaker, qr === true) };
}

// What is wrong with a line: a word, or null.
function wrongWith(f, b) {
  if (!b.name) return "no_name";
  if (octets(b.name) > NAME_MAX) return "name_long";
  if (octets(b.address) > ADDRESS_MAX) return "address_long";
  if (b.lat === undefined || b.lon === undefined || (b.lat === null) !== (b.lon === null)) return "position";
  if (b.sensitive === null || b.qr === null || b.caretaker === null) return "flag";
  if (b.caretaker && !b.qr) return "caretaker";
  if (f.round && !roundId(f.round)) return "round";
  if (octets(f.round ?? "") > NAME_MAX || octets(f.team ?? "") > 32) return "round";
  return null;
}

// The id of an imported building: its own where the file has one of ours, else made from its reference, so that the same file again means
// the same buildings.
async function idOf(region, f) {
  const reference = f.ref || `${folded(f.name || f.address)}|${folded(f.address ?? "")}`;
  if (/^[0-9a-f]{16}$/i.test(reference)) return reference.toLowerCase();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${region}/${reference}`)));
  return Array.from(digest.subarray(0, 8), (o) => o.toString(16).padStart(2, "0")).join("");
}

// The rows that LINES ask for: { buildings: [{ line, row }], rounds: [{ line, row }], wrong: [{ line, why, text }] }.
export async function rowsOf(region, lines) {
  const out = { buildings: [], rounds: [], wrong: [] };
  const said = new Map();   // building id -> its row in words
  const rounds = new Map(); // round id -> { line, row }
  for (const { line, fields: f } of lines) {
    const row = buildingOf(f);
    const wrong = (why) => out.wrong.push({ line, why, text: f.name || f.address || f.ref || "" });
    const why = wrongWith(f, row);
    if (why) {
      wrong(why);
      continue;
    }
    row.id = await idOf(region, f);
    const words = JSON.stringify(row);
    if (!said.has(row.id)) out.buildings.push({ line, row });
    else if (said.get(row.id) !== words) {
      wrong("twice");
      continue;
    }
    said.set(row.id, words);
    if (f.round && !addStop(rounds, f, line, row.id)) wrong("stops");
  }
  out.rounds = [...rounds.values()];
  return out;
}

// A round named in a file gets exactly the buildings that the file gives it, in its order.  False where it would get too many.
function addStop(rounds, f, line, building) {
  const id = roundId(f.round);
  if (!rounds.has(id)) rounds.set(id, { line, row: { id, name: f.round, zone: "", team: "", buildings: [], keep: true } });
  const { row } = rounds.get(id);
  row.team = f.team || row.team;
  if (row.buildings.includes(building)) return true;
  if (row.buildings.length === STOPS_MAX) return false;
  row.buildings.push(building);
  return true;
}

// How many of HOW's letters ("ncs") are LETTER.
export const counted = (how, letter) => [...(how ?? "")].filter((c) => c === letter).length;
