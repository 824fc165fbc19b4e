// What the browser keeps of this page from one time to the next.  Where it may keep nothing (private windows, a frame of another site,
// as in the demo) it is remembered as long as the page is open: the button never waits for that.
const remembered = new Map();

export function kept(name) {
  try {
    return localStorage.getItem(name) ?? '';
  } catch {
    return remembered.get(name) ?? '';
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    remembered.set(name, value);
  }
}
