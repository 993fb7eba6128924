#!/usr/bin/env node
// Runs the program that the package for this platform has in it. npm installs that package alone: the others name another
// `os` or `cpu`.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const platform = `${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`@oversell-sim/${platform}/bin/oversell-sim`);
} catch {
  console.error(
    `error: there is no oversell-sim for ${platform}, or optional dependencies were left out when it was installed`,
  );
  process.exit(3);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// Ctrl-C reaches the program by itself, which then writes its report; another signal is passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => {
  console.error(`error: cannot run ${program}: ${error.message}`);
  process.exit(3);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
