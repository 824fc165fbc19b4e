// The ring: two tones for as long as something rings.  Browsers keep sound locked until the person has touched the page once; until
// then `locked` is true and the page says so.
const PATTERNS = {
  soft: { every: 4000, gain: 0.12, tones: [[523, 0, 0.25]] },
  normal: { every: 1500, gain: 0.35, tones: [[880, 0, 0.2], [659, 0.25, 0.2], [880, 0.5, 0.2]] },
  loud: { every: 700, gain: 0.8, tones: [[988, 0, 0.15], [740, 0.17, 0.15], [988, 0.34, 0.15], [740, 0.51, 0.15]] },
};

export class Ring {
  constructor(onChange) {
    this.kind = null;
    this.hushedUntil = 0;
    this.onChange = onChange;
    this.context = null;
    this.timer = null;
    this.unlock(); // a browser that saw the person's click at the login may let it sound at once
    // Not at pointerdown: what moves between press and release would take the click away from what was aimed at.
    for (const type of ["click", "keydown"]) addEventListener(type, () => this.unlock());
  }

  get locked() {
    return this.context?.state !== "running";
  }

  unlock() {
    if (!this.locked) return;
    this.context ??= new AudioContext();
    this.context.onstatechange = () => this.onChange();
    this.context.resume().then(() => this.onChange(), () => {});
  }

  // Ring as KIND ("soft", "normal", "loud") from now on, or not at all (null).
  set(kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    clearInterval(this.timer);
    this.timer = null;
    if (!kind) return;
    this.play();
    this.timer = setInterval(() => this.play(), PATTERNS[kind].every);
  }

  // Quiet for a while, so that somebody can be spoken to; whatever is new ends it.
  hush(ms) {
    this.hushedUntil = performance.now() + ms;
  }

  unhush() {
    this.hushedUntil = 0;
  }

  get hushedMs() {
    return Math.max(0, this.hushedUntil - performance.now());
  }

  play() {
    if (this.locked || this.hushedMs > 0) return;
    const { gain, tones } = PATTERNS[this.kind];
    const start = this.context.currentTime + 0.01;
    for (const [frequency, after, length] of tones) {
      const tone = new OscillatorNode(this.context, { frequency, type: this.kind === "loud" ? "square" : "triangle" });
      const volume = new GainNode(this.context, { gain: 0 });
      volume.gain.setValueAtTime(0, start + after);
      volume.gain.linearRampToValueAtTime(gain, start + after + 0.02);
      volume.gain.setValueAtTime(gain, start + after + length - 0.04);
      volume.gain.linearRampToValueAtTime(0, start + after + length);
      tone.connect(volume).connect(this.context.destination);
      tone.start(start + after);
      tone.stop(start + after + length);
    }
  }
}

// The tab's title flashes while something rings.
export class Title {
  constructor(plain) {
    this.plain = plain;
    this.text = null;
    this.on = false;
  }

  set(text) {
    this.text = text;
    if (!text) document.title = this.plain;
  }

  tick() {
    this.on = !this.on;
    document.title = this.text && this.on ? this.text : this.plain;
  }
}
