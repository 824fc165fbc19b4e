// Changes of rounds, buildings and doors: POST /desk/edit (PROTOCOL.md 7.6), all of it or nothing.

// Gives { result, how, wrong, rest }; "away" also where nobody answered.
export async function edit(body) {
  try {
    const response = await fetch("desk/edit", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (response.status === 413) return { result: "large" };
    return await response.json();
  } catch {
    return { result: "away" };
  }
}

// Eight random octets: the id of something new.
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (n) => n.toString(16).padStart(2, "0")).join("");
}
