// A QR as the phone's status has it (one line a row, 1 is dark) on standard input; its text on standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

const wasm = createRequire(import.meta.url).resolve("zxing-wasm/reader/zxing_reader.wasm");
prepareZXingModule({ overrides: { wasmBinary: readFileSync(wasm) } });

const SCALE = 4, QUIET = 4;
const rows = JSON.parse(readFileSync(0, "utf8"));
const side = (rows.length + 2 * QUIET) * SCALE;
const data = new Uint8ClampedArray(side * side * 4).fill(255);
rows.forEach((row, y) => [...row].forEach((module, x) => {
  if (module !== "1") return;
  for (let i = 0; i < SCALE * SCALE; i++) {
    const at = (((y + QUIET) * SCALE + Math.floor(i / SCALE)) * side + (x + QUIET) * SCALE + (i % SCALE)) * 4;
    data.fill(0, at, at + 3);
  }
}));
const found = await readBarcodes({ data, width: side, height: side }, { formats: ["QRCode"] });
if (found.length !== 1 || !found[0].text) {
  console.error("no QR there");
  process.exit(1);
}
console.log(found[0].text);
