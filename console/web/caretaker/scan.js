// The camera, and the QR codes it sees.
import { prepareZXingModule, readBarcodes } from "./zxing/reader/index.js";

const EVERY_MS = 150;
const SIDE_MAX = 1280; // of a picture that is looked at

prepareZXingModule({ overrides: { locateFile: (name) => new URL(`zxing/${name}`, import.meta.url).href } });

// Start the camera in VIDEO; TELL is called with the text of each code seen, until it is stopped.  Gives a function that pauses (true)
// and goes on (false).  Throws where there is no camera, or it is not allowed.
export async function scan(video, tell) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 1280 } } });
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let paused = false;
  let busy = false;

  async function look() {
    if (paused || busy || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA)
      return;
    busy = true;
    const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      const codes = await readBarcodes(context.getImageData(0, 0, canvas.width, canvas.height), { formats: ["QRCode"], maxNumberOfSymbols: 1, tryHarder: true });
      if (codes.length > 0 && !paused)
        tell(codes[0].text);
    } finally {
      busy = false;
    }
  }

  video.srcObject = stream;
  await video.play();
  setInterval(look, EVERY_MS);
  return (wish) => { paused = wish; };
}
