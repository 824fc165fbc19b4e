// Real receivers' logs through the real gpsd: fixes where there are fixes, none where there are none, an alert always.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Region, until } from "./lib/region.mjs";

const ROOT = new URL("../..", import.meta.url).pathname;
const SHARED = `${ROOT}../shared/data/gps/`;
const receivers = [];
let region;
let away;

before(async () => {
  region = await new Region().open();
  away = await freePort();
});
after(async () => {
  for (const receiver of receivers) await receiver.end();
  await region?.stop();
});

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// gpsd, fed by gpsfake with LOG over and over.  end() kills both: gpsfake's own end takes its gpsd along only when it is asked kindly.
async function gpsd(log, port) {
  const child = spawn("gpsfake", ["-c", "0.02", "-n", "-q", "-P", String(port), log], { stdio: "ignore", detached: true,
    env: { ...process.env, TMPDIR: region.dir, PYTHONDONTWRITEBYTECODE: "1", PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const receiver = { end: async (signal = "SIGTERM") => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
    await ended;
  } };
  receivers.push(receiver);
  return receiver;
}

// A receiver that gpsd does not make out (it tries one speed after another) is plugged in once more.
async function firstFix(phone, log, port) {
  for (let tries = 1; ; tries++) {
    const receiver = await gpsd(log, port);
    try {
      return { receiver, fix: await phone.until("a fix", (s) => s.fix, 30000) };
    } catch (error) {
      await receiver.end();
      if (tries === 2) throw error;
      console.log(`${log}: no fix within 30 s; once more`);
    }
  }
}

const names = [];
async function phoneWith(port) {
  names.push(`gps${names.length}`);
  return region.phone(names.at(-1), away, [], { "gps.host": "127.0.0.1", "gps.port": port }).start();
}

const LOGS = [
  ["our own round through Lyon", `${ROOT}ops/data/round-lyon.nmea`, [45.757, 4.832], 0.05],
  ["a phone's own receiver, from no fix to fix", `${SHARED}quectel-eg25-g.log`, [36.7646, -1], 1, true],
  ["the same one again", `${SHARED}quectel-eg25-g-2.log`, null, 0],
  ["TSIP, whose clock goes from 1999 to 2006", `${SHARED}trimble-lassen_iq-playacar.log`, [20.6285, -87.07], 0.05],
];

for (const [name, log, place, within] of LOGS) {
  test(name, { skip: !existsSync(log) && `${log} is not there` }, async () => {
    const port = await freePort();
    const phone = await phoneWith(port);
    const { receiver, fix } = await firstFix(phone, log, port);
    if (place) assert.ok(Math.abs(fix.lat - place[0]) < within && (within === 1 || Math.abs(fix.lon - place[1]) < within), JSON.stringify(fix));
    // It is as old as it is here, whatever its own clock says.
    assert.ok(Math.abs(Date.now() - fix.at_ms) < 10000, `the fix is of ${new Date(fix.at_ms).toISOString()}`);
    const first = fix.at_ms;
    await phone.until("a newer fix", (s) => s.fix.at_ms > first, 30000);
    assert.match(phone.say("press"), /^[0-9a-f]{32}$/);
    assert.equal(phone.word(), "not_sent");
    await phone.stop();
    await receiver.end();
  });
}

test("a receiver that never gets a fix: no fix, and an alert", { skip: !existsSync(`${SHARED}bu303b-nofix.log`) && "the log is not there" }, async () => {
  const port = await freePort();
  const receiver = await gpsd(`${SHARED}bu303b-nofix.log`, port);
  const phone = await phoneWith(port);
  await sleep(4000);
  assert.equal(phone.status().fix, null);
  assert.match(phone.say("press"), /^[0-9a-f]{32}$/);
  await phone.stop();
  await receiver.end();
});

test("gpsd that is not there, comes, is killed, comes back: the last fix stays and ages, then goes on", async () => {
  const port = await freePort();
  const phone = await phoneWith(port);
  assert.equal(phone.status().fix, null);
  let receiver = await gpsd(`${ROOT}ops/data/round-lyon.nmea`, port);
  await phone.until("a fix with its accuracy", (s) => s.fix && s.fix.accuracy_m < 65535, 30000); // a receiver may give the first one without
  await receiver.end("SIGKILL");
  await until("no more fixes", async () => {
    const { fix } = phone.status();
    await sleep(1500);
    return phone.status().fix.at_ms === fix.at_ms;
  });
  const held = phone.status().fix;
  assert.match(phone.say("press"), /^[0-9a-f]{32}$/);
  await phone.kill();
  await phone.start();
  const { fix } = phone.status(); // the last good one survives a restart; it is written each minute
  assert.ok(fix.accuracy_m < 65535 && Math.abs(fix.lat - held.lat) < 0.01 && held.at_ms - fix.at_ms <= 60000, JSON.stringify([fix, held]));
  receiver = await gpsd(`${ROOT}ops/data/round-lyon.nmea`, port);
  await phone.until("a newer fix", (s) => s.fix.at_ms > held.at_ms, 40000);
  await phone.stop();
  await receiver.end();
});

test("no position in the log", () => {
  for (const phone of region.processes.filter((p) => p.config)) assert.doesNotMatch(phone.told(), /\d\.\d{3,}[^Z]/, phone.name);
});
