// What the browser keeps for this page.  What it does not keep (blocked, full) is kept as long as the page is open: a list that was fetched
// goes on being good without a network.  local(): the browser's storage; it may throw.
export function storageOver(local) {
  const memory = new Map();
  return {
    getItem(key) {
      try {
        return memory.get(key) ?? local().getItem(key);
      } catch {
        return null;
      }
    },
    setItem(key, value) {
      memory.delete(key);
      try {
        local().setItem(key, value);
      } catch {
        memory.set(key, value);
      }
    },
  };
}
