// Base45 (RFC 9285), and the text of a pass: "VG1:" and the base45 of what is shown.
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const PREFIX = "VG1:";
const TEXT_MAX = 910; // of the longest pass and proof, 603 octets

// The octets of TEXT, or null where it is no base45.
export function base45(text) {
  const octets = [];
  if (text.length % 3 === 1)
    return null;
  for (let at = 0; at < text.length; at += 3) {
    const group = [...text.slice(at, at + 3)].map((digit) => DIGITS.indexOf(digit));
    const value = group.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (group.includes(-1) || value >= (group.length === 3 ? 0x10000 : 0x100))
      return null;
    if (group.length === 3)
      octets.push(value >> 8);
    octets.push(value & 0xff);
  }
  return new Uint8Array(octets);
}

// What a QR code said, as octets; null where it is no pass.  White space around it is skipped, but for a closing space: a digit.
// What is longer than any is not looked at: octets that are too long in its place.
export function passText(text) {
  const trimmed = text.replace(/^[ \t\r\n]+/, "").replace(/[\t\r\n]+$/, "");
  if (trimmed.startsWith(PREFIX) && trimmed.length > TEXT_MAX)
    return new Uint8Array(trimmed.length);
  return trimmed.startsWith(PREFIX) ? base45(trimmed.slice(PREFIX.length)) : null;
}
