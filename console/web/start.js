// Before all else, and no module: a page whose scripts did not all come is dead and could not say so.  It is loaded again.
addEventListener("error", (event) => {
  if (event.target instanceof HTMLScriptElement && event.target.type === "module") setTimeout(() => location.reload(), 1000);
}, true);
