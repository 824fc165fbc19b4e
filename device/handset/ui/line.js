// The line to the daemon: a WebSocket that comes back by itself.  Says when it is lost, also when the daemon merely hangs: a page
// without its phone must not look alive.
const RETRY_MS = 1000;
const LOOK_MS = 2000;
const ANSWER_MS = 3000;

export function connect(handlers) {
  let socket = null;
  let open = false;
  let number = 0;
  let timer = null;
  const waiting = new Map();

  function lost(from) {
    if (from !== socket) return;
    from.onopen = from.onclose = from.onmessage = null;
    from.close();
    socket = null;
    open = false;
    clearTimeout(timer);
    for (const give of waiting.values()) give({ ok: false, why: 'lost' });
    waiting.clear();
    handlers.open(false);
    setTimeout(start, RETRY_MS);
  }

  // Ask for the status now and then, and expect it soon.
  function look() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const from = socket;
      timer = setTimeout(() => lost(from), ANSWER_MS);
      ask(['status']).then((answer) => {
        if (from !== socket) return;
        if (answer.status) handlers.status(answer.status);
        look();
      });
    }, LOOK_MS);
  }

  function start() {
    const mine = new WebSocket(`ws://${location.host}/`, 'vigie-page');
    socket = mine;
    timer = setTimeout(() => lost(mine), ANSWER_MS);
    mine.onopen = () => {
      open = true;
      handlers.open(true);
      look();
    };
    mine.onclose = () => lost(mine);
    mine.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.answer !== undefined) {
        waiting.get(message.answer)?.(message);
        waiting.delete(message.answer);
      } else if (message.status) handlers.status(message.status);
      else if (message.vibrate) handlers.vibrate(message.vibrate);
    };
  }

  // Gives { ok, why, status }.  With the line down it says so at once.
  function ask(words) {
    if (!open) return Promise.resolve({ ok: false, why: 'lost' });
    number += 1;
    socket.send(JSON.stringify({ words, n: number }));
    return new Promise((give) => waiting.set(number, give));
  }

  return { start, ask };
}
