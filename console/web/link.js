// The line to the server: one WebSocket, opened again for ever.  It also says when this page is blind: no word from the server for
// BLIND_MS (it speaks every 2 s), or the server has lost its store.
export const BLIND_MS = 5000;
const CONNECT_MS = 15000; // a slow network's; after that the try hangs, and another may not
const RETRY_MS = [300, 1000, 2000, 4000];
const NO_SESSION = 4401;
const NO_ROLE = 4403;

export class Link {
  // on: { message(object), lost(), refused(code) }; path: which socket of the console
  constructor(on, path = "/ws") {
    this.on = on;
    this.path = path;
    this.attempt = 0;
    this.heardAt = performance.now();
    this.open();
  }

  open() {
    this.socket = new WebSocket(`wss://${location.host}${this.path}`, "vigie-desk.1");
    this.begunAt = performance.now();
    this.socket.onopen = () => (this.begunAt = performance.now());
    this.socket.onmessage = (event) => {
      this.heardAt = performance.now();
      this.attempt = 0;
      this.on.message(JSON.parse(event.data));
    };
    this.socket.onclose = (event) => this.closed(event.code);
  }

  closed(code) {
    if (code === NO_SESSION || code === NO_ROLE) {
      this.on.refused(code === NO_ROLE ? "role" : "session");
      return;
    }
    this.on.lost();
    const wait = RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)];
    setTimeout(() => this.open(), wait + Math.random() * wait * 0.3);
  }

  isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  silentMs() {
    return performance.now() - this.heardAt;
  }

  // Nothing heard for too long: a line may be dead without being closed; one that has only just been opened may not have spoken yet.  Called
  // each second.
  isSilent() {
    const silent = this.silentMs() > BLIND_MS;
    const patience = this.isOpen() ? BLIND_MS : CONNECT_MS;
    if (silent && performance.now() - this.begunAt > patience) this.socket.close();
    return silent;
  }

  send(object) {
    if (!this.isOpen()) return false;
    this.socket.send(JSON.stringify(object));
    return true;
  }
}

// Eight random octets: the name of a command, by which its answer is known.
export function commandId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (n) => n.toString(16).padStart(2, "0")).join("");
}
