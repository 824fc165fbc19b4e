// A camera for Chromium (--use-file-for-fake-video-capture): a film of one QR code.  The file is opened when a page starts the camera.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const SIDE = 720;

// The modules of TEXT's QR code with its quiet zone, rows of booleans; by libqrencode's own program.
function modules(text) {
  const lines = execFileSync("qrencode", ["-l", "L", "-m", "4", "-t", "ASCII", "--", text], { encoding: "latin1" }).split("\n").filter((line) => line !== "");
  return lines.map((line) => Array.from({ length: line.length / 2 }, (_, i) => line[2 * i] === "#"));
}

// Write FILE: TEXT as a QR code in the middle of a grey picture, or nothing but grey where TEXT is null.
export function film(file, text) {
  const luma = Buffer.alloc(SIDE * SIDE, 128);
  const rows = text === null ? [] : modules(text);
  const scale = Math.floor(SIDE * 0.9 / Math.max(rows.length, 1));
  const edge = Math.floor((SIDE - scale * rows.length) / 2);
  rows.forEach((row, y) => row.forEach((dark, x) => {
    for (let line = 0; line < scale; line++)
      luma.fill(dark ? 16 : 235, (edge + y * scale + line) * SIDE + edge + x * scale, (edge + y * scale + line) * SIDE + edge + (x + 1) * scale);
  }));
  write(file, luma);
}

// What PNG shows, in the middle of a grey picture, as somebody holds a phone before the camera.  PAGE reads the PNG: an empty one, whose policy does not mind.
export async function filmPicture(page, file, png) {
  const grey = await page.evaluate(async ([data, side]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const context = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
    context.fillStyle = "#808080";
    context.fillRect(0, 0, side, side);
    const scale = side * 0.9 / Math.max(image.width, image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    context.drawImage(image, (side - width) / 2, (side - height) / 2, width, height);
    const { data: pixels } = context.getImageData(0, 0, side, side);
    return btoa(Array.from({ length: side * side }, (_, i) => String.fromCharCode(16 + pixels[4 * i + 1] * 219 / 255)).join(""));
  }, [png.toString("base64"), SIDE]);
  write(file, Buffer.from(grey, "base64"));
}

function write(file, luma) {
  const frame = Buffer.concat([Buffer.from("FRAME\n"), luma, Buffer.alloc(SIDE * SIDE / 2, 128)]);
  writeFileSync(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${SIDE} H${SIDE} F10:1 Ip A1:1 C420jpeg\n`), frame, frame]));
}
