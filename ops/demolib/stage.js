const look = document.getElementById('look');
const inbox = document.getElementById('inbox');
const words = document.getElementById('words');

async function ask(what) {
  look.textContent = '…';
  try {
    const answer = await fetch(`/do/${what}`, { method: 'POST', headers: { 'X-Demo': '1' } });
    look.textContent = await answer.text();
  } catch {
    look.textContent = 'La démonstration est arrêtée.';
  }
}

for (const button of document.querySelectorAll('[data-do]')) button.addEventListener('click', () => ask(button.dataset.do));
for (const button of document.querySelectorAll('[data-text]')) button.addEventListener('click', () => ask(`text?${encodeURIComponent(button.dataset.text)}`));
document.getElementById('answer').addEventListener('submit', (event) => {
  event.preventDefault();
  if (words.value.trim()) ask(`text?${encodeURIComponent(words.value)}`);
  words.value = '';
});

// The telephone at the foot: what it received, newest at the end.
setInterval(async () => {
  const answer = await fetch('/inbox').catch(() => null);
  if (!answer?.ok) return;
  const texts = await answer.json();
  if (texts.length === 0 || texts.join('\n') === inbox.dataset.texts) return;
  inbox.dataset.texts = texts.join('\n');
  inbox.replaceChildren(...texts.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
  inbox.scrollTop = inbox.scrollHeight;
}, 1000);

// What the doors said last.
setInterval(async () => {
  const answer = await fetch('/doors').catch(() => null);
  if (!answer?.ok) return;
  for (const [name, said] of Object.entries(await answer.json())) document.getElementById(name).textContent = said;
}, 1000);
