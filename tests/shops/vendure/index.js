// The shop, and the worker of its job queue in a process of its own.
const { fork } = require("child_process");
const { bootstrap } = require("@vendure/core");
const { config } = require("./config");

bootstrap(config)
  .then(() => {
    fork(require.resolve("./worker.js"));
    process.on("SIGTERM", () => process.exit(0));
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
