const look = document.getElementById('look');

for (const button of document.querySelectorAll('[data-do]')) {
  button.addEventListener('click', async () => {
    look.textContent = '…';
    try {
      const answer = await fetch(`/do/${button.dataset.do}`, { method: 'POST', headers: { 'X-Demo': '1' } });
      look.textContent = await answer.text();
    } catch {
      look.textContent = 'La démonstration est arrêtée.';
    }
  });
}
