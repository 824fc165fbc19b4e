// Times as a desk says them: the clock, and the day where it is not today.
import { clock, say } from "../words.js";

export function when(ms, now) {
  const day = (t) => new Date(t).toDateString();
  if (day(ms) === day(now)) return clock(ms, false);
  if (day(ms) === day(now + 24 * 3600000)) return say("tomorrow_at", { time: clock(ms, false) });
  if (day(ms) === day(now - 24 * 3600000)) return say("yesterday_at", { time: clock(ms, false) });
  return `${new Date(ms).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short" })} ${clock(ms, false)}`;
}
