// A private region with a pass desk: the e2e Region, and keeper, console and people who give passes.
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { BIN, Process, Region } from "./region.mjs";

const ROOT = new URL("../../..", import.meta.url).pathname;
export const PASSWORD = "passes-secret";

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class PassRegion extends Region {
  async open() {
    this.vigie("init", "--region", "test", "--alerts", join(this.dir, "alerts.sock"), "--positions", join(this.dir, "positions.sock"), "--keeper", join(this.dir, "keeper.sock"));
    await this.redis("alerts");
    await this.redis("positions");
    this.vigie("carrier", "add", "c1", "--name", "Camille Roux", "--number", "+33600000001", "--team", "nord");
    this.vigie("supervisor", "add", "s1", "--name", "Paul Martin", "--number", "+33600000101", "--team", "nord");
    for (const [login, name, role, person] of [["odile", "Odile Renard", "issuer"], ["marc", "Marc Vidal", "issuer"], ["adm", "Administration", "admin"], ["regie", "Salle de contrôle", "control"], ["paul", "Paul Martin", "supervisor", "s1"]])
      this.vigieWith(`${PASSWORD}\n`, "user", "add", login, "--name", name, "--role", role, ...(person ? ["--person", person] : []));
    this.vigie("trust", "publish");
    // In its cage there is no clone, which the leak checker of a sanitizer build would need.
    this.keeper = this.add(new Process(join(this.dir, "keeper.log"), "env", ["ASAN_OPTIONS=detect_leaks=0", `${BIN}/vigie-keeper`, "-c", join(this.region, "keeper.conf"),
      "-o", `peer.console=${userInfo().username}`, "-o", "peer.dispatcher="], true));
    await this.keeper.start();
    await this.dispatcher();
    this.consolePort = await freePort();
    this.origin = `https://localhost:${this.consolePort}`;
    this.console = this.add(new Process(join(this.dir, "console.log"), `${BIN}/vigie-console`, ["-c", join(this.region, "console.conf"), "-o", `listen.port=${this.consolePort}`,
      "-o", "listen.address=127.0.0.1", "-o", `web.origins=${this.origin}`, "-o", `web.path=${ROOT}/build/web`], true));
    await this.console.start();
    return this;
  }

  vigieWith(input, ...words) {
    const done = spawnSync(`${BIN}/vigie`, ["-C", this.region, ...words], { input, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`vigie ${words.join(" ")}: exit ${done.status}\n${done.stdout}${done.stderr}`);
    return done.stdout;
  }
}
