// The line to the daemon: a WebSocket that comes back by itself.  Says when it is lost: a page without its phone must not look alive.
const RETRY_MS = 1000;

export function connect(handlers) {
  let socket = null;
  let number = 0;
  const waiting = new Map();

  function lost() {
    for (const give of waiting.values()) give({ ok: false, why: 'lost' });
    waiting.clear();
    handlers.open(false);
    setTimeout(start, RETRY_MS);
  }

  function start() {
    socket = new WebSocket(`ws://${location.host}/`, 'vigie-page');
    socket.onopen = () => handlers.open(true);
    socket.onclose = lost;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.status) handlers.status(message.status);
      if (message.vibrate) handlers.vibrate(message.vibrate);
      if (message.answer !== undefined) {
        waiting.get(message.answer)?.(message);
        waiting.delete(message.answer);
      }
    };
  }

  // Gives { ok, why }.  With the line down it says so at once.
  function ask(words) {
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve({ ok: false, why: 'lost' });
    number += 1;
    socket.send(JSON.stringify({ words, n: number }));
    return new Promise((give) => waiting.set(number, give));
  }

  return { start, ask };
}
