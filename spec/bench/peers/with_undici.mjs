// The benchmark's work with undici: a pool of as many connections as calls are in flight.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/build/bench/node/");
const { Pool } = require("undici");
const undiciVersion = require("undici/package.json").version;

const [workload, baseUrl, callsText, inFlightText, caFile] = process.argv.slice(2);
const calls = Number(callsText);
const inFlight = Number(inFlightText);
const API = "/api/v2.1/rest";
const headers = {
  Accept: "application/json", "QISCUS-SDK-APP-ID": "bench", "QISCUS-SDK-SECRET": "secret",
};
let path = API + "/user_profile?user_id=bob";
let body;
let size;
if (workload.startsWith("list-")) {
  size = Number(workload.slice(5));
  path = API + "/get_user_list?limit=" + size;
} else if (workload === "post") {
  path = API + "/login_or_register";
  body = '{"user_id":"bob","username":"Bob"}';
  headers["Content-Type"] = "application/json";
}

function accept(status, answer) {
  if (status !== 200) throw new Error("status " + status);
  const last = "user-" + String(size).padStart(6, "0");
  const right = size === undefined
    ? answer.results.user.user_id === "bob"
    : answer.results.users.length === size && answer.results.users[size - 1].user_id === last;
  if (!right) throw new Error("not the answer that was asked for");
}

const ca = caFile !== "system" && baseUrl.startsWith("https:") ? readFileSync(caFile) : undefined;
const pool = new Pool(baseUrl, { connections: inFlight, connect: ca && { ca } });

async function call() {
  const answer = await pool.request({ path, method: body ? "POST" : "GET", headers, body });
  accept(answer.statusCode, await answer.body.json());
}

async function run(count) {
  let left = count;
  async function worker() {
    while (left > 0) {
      left -= 1;
      await call();
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, inFlight) }, worker));
}

function peak() {
  return Number(readFileSync("/proc/self/status", "ascii").match(/VmHWM:\s*(\d+)/)[1]);
}

if (workload !== "cold") await run(inFlight);
const startedWall = process.hrtime.bigint();
const startedCpu = process.cpuUsage();
await run(calls);
const wall = Number(process.hrtime.bigint() - startedWall) / 1e9;
const used = process.cpuUsage(startedCpu);
console.log(JSON.stringify({
  wall, cpu: (used.user + used.system) / 1e6, rss: peak(), calls,
  version: "undici/" + undiciVersion + " node/" + process.versions.node,
}));
await pool.close();
