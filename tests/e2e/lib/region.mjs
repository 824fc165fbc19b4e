// A private region: two Redis, keys and people by `vigie`, the real dispatchers, real phones.  All of it lives in one fresh folder;
// stop() ends every process by its pid, says what a sanitizer found, and removes the folder.
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = new URL("../../..", import.meta.url).pathname;
export const BIN = process.env.VIGIE_BIN ?? join(ROOT, "build", process.env.VIGIE_BUILD ?? "release", "bin");
export const PIN = "2468";
export const DURESS = "9713";

export async function until(what, condition, ms = 15000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(30);
  }
}

function run(program, args, input) {
  const done = spawnSync(program, args, { input, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${program} ${args.join(" ")}: exit ${done.status}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

// One process: its log is in a file, so that it outlives a kill.  With `ready`, start() waits for the port it listens on.
export class Process {
  constructor(log, program, args, ready) {
    Object.assign(this, { log, program, args, ready, child: null, port: 0 });
  }

  async start() {
    const log = openSync(this.log, "a");
    this.child = spawn(this.program, this.ready ? [...this.args, "--ready-fd", "3"] : this.args, { stdio: ["ignore", log, log, "pipe"] });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.child.once("exit", (code, signal) => resolve({ code, signal }));
      this.child.once("error", (error) => { // it did not even start
        appendFileSync(this.log, `${error.message}\n`);
        this.child = null;
        resolve({ code: 127 });
      });
    });
    if (!this.ready) return this;
    this.port = Number(await new Promise((resolve, reject) => {
      let text = "";
      this.ended.then(() => reject(new Error(`ended:\n${this.told()}`)));
      this.child.stdio[3].on("data", (data) => { text += data; });
      this.child.stdio[3].on("end", () => (text.endsWith("\n") ? resolve(text) : reject(new Error(`not ready:\n${this.told()}`))));
    }));
    return this;
  }

  told() {
    return readFileSync(this.log, "utf8");
  }

  // As if the power went.
  kill() {
    return this.stop("SIGKILL");
  }

  async stop(signal = "SIGTERM") {
    if (!this.child) return {};
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.ended;
  }
}

// A phone: the daemon of one enrolment (or none).
export class Phone extends Process {
  constructor(region, name, config, options = {}) {
    const settings = Object.entries({ "page.port": 0, "page.path": join(ROOT, "device/handset/ui"), "gps.host": "", ...options });
    super(join(region.dir, `${name}.log`), `${BIN}/vigie-handset`, ["-c", config, ...settings.flatMap(([k, v]) => ["-o", `${k}=${v}`])], true);
    Object.assign(this, { region, name, config });
  }

  get url() {
    return `http://127.0.0.1:${this.port}/`;
  }

  // The command line: { status, out, err }.
  ask(...words) {
    const done = spawnSync(this.program, ["-c", this.config, ...words], { encoding: "utf8" });
    return { status: done.status, out: done.stdout.trim(), err: done.stderr.trim() };
  }

  say(...words) {
    const { status, out, err } = this.ask(...words);
    if (status !== 0) throw new Error(`${this.name}: ${words.join(" ")}: exit ${status} ${err}`);
    return out;
  }

  status() {
    return JSON.parse(this.say("status", "--json"));
  }

  word() {
    return this.status().alert?.word ?? "none";
  }

  until(what, condition, ms) {
    return until(`${this.name}: ${what}`, () => condition(this.status()), ms);
  }
}

export class Region {
  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), "vigie-e2e-"));
    this.region = join(this.dir, "region");
    this.processes = [];
  }

  add(process) {
    this.processes.push(process);
    return process;
  }

  vigie(...words) {
    return run(`${BIN}/vigie`, ["-C", this.region, ...words]);
  }

  async redis(name) {
    const socket = join(this.dir, `${name}.sock`);
    await this.add(new Process(join(this.dir, `${name}.log`), "redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly",
      name === "alerts" ? "yes" : "no", "--appendfsync", "always", "--dir", this.dir, "--appenddirname", `${name}-aof`, "--aclfile",
      join(this.region, "redis/users.acl")], false)).start();
    await until(`${name} Redis`, () => existsSync(socket));
  }

  // Keys, stores and people; no dispatcher yet.
  async open() {
    this.vigie("init", "--region", "test", "--alerts", join(this.dir, "alerts.sock"), "--positions", join(this.dir, "positions.sock"));
    await this.redis("alerts");
    await this.redis("positions");
    return this;
  }

  async dispatcher(port = 0) {
    const at = (name) => join(this.dir, name);
    this.server = this.add(new Process(at("dispatcher.log"), `${BIN}/vigie-dispatcher`, ["-c", join(this.region, "dispatcher.conf"), "-o", `listen.port=${port}`,
      "-o", "listen.address=127.0.0.1", "-o", "drain.percent=100", "-o", `journal.path=${at("d1.journal")}`, "-o", `snapshot.path=${at("d1.snapshot")}`], true));
    await this.server.start();
    return this.server.port;
  }

  // Enrol a phone that knows the dispatcher at PORT.  OPTIONS: configuration keys.
  phone(name, port, words = [], options = {}) {
    const folder = join(this.dir, name);
    this.vigie("enrol", "--out", folder, "--servers", `localhost:${port}`, ...words);
    return this.add(new Phone(this, name, join(folder, "handset.conf"), options));
  }

  // A phone that nobody enrolled.
  stranger(name) {
    const config = join(this.dir, `${name}.conf`);
    appendFileSync(config, `[journal]\npath = ${this.dir}/${name}.journal\n[command]\nsocket = ${this.dir}/${name}.sock\n`);
    return this.add(new Phone(this, name, config));
  }

  async stop() {
    const found = [];
    for (const process of [...this.processes].reverse()) {
      const { code, signal } = await process.stop();
      const told = process.told();
      if (/Sanitizer|runtime error/.test(told) || (code ?? 0) !== 0) found.push(`${process.log}: exit ${code} ${signal}\n${told.slice(-3000)}`);
    }
    rmSync(this.dir, { recursive: true, force: true });
    if (found.length) throw new Error(found.join("\n"));
  }
}
