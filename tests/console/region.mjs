// A private region for browser tests: two Redis on unix sockets, vigie-console on a free port, and `seed`, which stands in for
// the dispatchers.  All state lives in a fresh folder; stop() ends every process by its pid and removes it.
import { spawn, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const root = new URL("../..", import.meta.url).pathname;
const build = join(root, "build", process.env.VIGIE_BUILD ?? process.env.BUILD ?? "release");

const ZONES = {
  type: "FeatureCollection",
  features: [
    { type: "Feature", properties: { id: "croix-rousse", name: "Croix-Rousse", teams: ["nord"] },
      geometry: { type: "Polygon", coordinates: [[[4.815, 45.769], [4.84, 45.769], [4.844, 45.786], [4.815, 45.785], [4.815, 45.769]]] } },
    { type: "Feature", properties: { id: "presquile", name: "Presqu'île" },
      geometry: { type: "Polygon", coordinates: [[[4.822, 45.735], [4.842, 45.735], [4.84, 45.769], [4.815, 45.769], [4.822, 45.735]]] } },
  ],
};

// What `vigie init` lets a console do.
const CONSOLE_MAY = ["%R~{test}:*", "%RW~{test}:session:*", "%RW~{test}:commands", "-@all", "+@read", "+@connection", "+@transaction", "+xadd",
  "+set", "+del", "+expire", "+pexpire", "+time"];

async function until(what, condition, ms = 10000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(25);
  }
}

export class Region {
  static async start(options = {}) {
    const region = new Region();
    region.dir = mkdtempSync(join(tmpdir(), "vigie-console-test-"));
    region.children = [];
    process.once("exit", () => region.drop()); // also when a test breaks off: nothing stays behind
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));
    try {
      region.certificate();
      await region.startRedis("alerts");
      await region.startRedis("positions");
      region.startSeed();
      region.options = options;
      await region.startConsole();
    } catch (error) {
      await region.stop();
      throw error;
    }
    return region;
  }

  certificate() {
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
      "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", `${this.dir}/key.pem`, "-out",
      `${this.dir}/cert.pem`], { stdio: "ignore" });
  }

  child(command, args, options) {
    const child = spawn(command, args, options);
    this.children.push(child);
    child.ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    return child;
  }

  async startRedis(name) {
    const socket = `${this.dir}/${name}.sock`;
    this[name] = this.child("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", name === "alerts" ?
      "yes" : "no", "--dir", this.dir, "--appenddirname", `${name}-aof`], { stdio: "ignore" });
    const ask = (...words) => execFileSync("redis-cli", ["-s", socket, ...words], { stdio: ["ignore", "pipe", "ignore"] }).toString();
    await until(`${name} Redis`, () => {
      try {
        return ask("ping").startsWith("PONG");
      } catch {
        return false; // not there yet, or still loading
      }
    });
    ask("ACL", "SETUSER", "console", "on", ">p", ...CONSOLE_MAY);
  }

  startSeed() {
    this.seed = this.child(join(build, "tests/console/seed"), ["test", `${this.dir}/alerts.sock`, `${this.dir}/positions.sock`],
      { stdio: ["pipe", "pipe", "inherit"] });
    this.waiting = [];
    createInterface({ input: this.seed.stdout }).on("line", (line) => this.waiting.shift()(JSON.parse(line)));
    this.seed.ended.then(() => this.waiting.splice(0).forEach((done) => done(null)));
  }

  async put(op, fields = {}) {
    const answer = new Promise((resolve) => this.waiting.push(resolve));
    this.seed.stdin.write(JSON.stringify({ op, ...fields }) + "\n");
    const value = await answer;
    if (value === null) throw new Error(`seed ended at ${op}`);
    return value;
  }

  async commands(verb) {
    const { commands } = await this.put("commands");
    return verb ? commands.filter((c) => c.verb === verb) : commands;
  }

  // The first command of VERB that is in the stream, waiting for it.
  command(verb) {
    return until(`command ${verb}`, async () => (await this.commands(verb))[0]);
  }

  async startConsole() {
    writeFileSync(`${this.dir}/zones.geojson`, JSON.stringify(ZONES));
    writeFileSync(`${this.dir}/console.conf`, [
      "[region]", "name = test", "[listen]", "address = ::", `port = ${this.port ?? 0}`, "[tls]", `certificate = ${this.dir}/cert.pem`,
      `key = ${this.dir}/key.pem`, "[web]", "origins = https://localhost:0", `path = ${root}/build/web`, "[zones]",
      `path = ${this.dir}/zones.geojson`, "[alerts]", `address = ${this.dir}/alerts.sock`, "user = console", "password = p", "[positions]",
      `address = ${this.dir}/positions.sock`, "user = console", "password = p", ""].join("\n"));
    this.binary = join(build, "bin/vigie-console");
    this.console = this.child(this.binary, ["-c", `${this.dir}/console.conf`, "--ready-fd", "3", ...(this.options.settings ?? []).flatMap((s) => ["-o", s])],
      { stdio: ["ignore", "inherit", this.options.quiet === false ? "inherit" : "pipe", "pipe"] });
    this.log = "";
    this.console.stderr?.on("data", (data) => (this.log += data));
    this.port = Number(await new Promise((resolve, reject) => {
      this.console.stdio[3].on("data", (data) => resolve(data.toString()));
      this.console.ended.then(() => reject(new Error(`vigie-console ended:\n${this.log}`)));
    }));
    this.origin = `https://localhost:${this.port}`;
  }

  // Redis comes back with what it had; a console that was killed comes back on the same port.
  async restartAlerts() {
    await this.startRedis("alerts");
    await this.end(this.seed);
    this.startSeed();
  }

  // The alerts as they are now; loseSince() makes them so again: what a failover does that loses its last second.
  keepAlerts() {
    cpSync(`${this.dir}/alerts-aof`, `${this.dir}/alerts-kept`, { recursive: true });
  }

  async loseSince() {
    await this.end(this.alerts, "SIGKILL");
    rmSync(`${this.dir}/alerts-aof`, { recursive: true });
    cpSync(`${this.dir}/alerts-kept`, `${this.dir}/alerts-aof`, { recursive: true });
    await this.restartAlerts();
  }

  async end(child, signal = "SIGTERM") {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return child.ended;
  }

  drop() {
    for (const child of this.children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }

  async stop() {
    for (const child of [...this.children].reverse()) await this.end(child, child === this.alerts || child === this.positions ? "SIGKILL" : "SIGTERM");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export { until };
