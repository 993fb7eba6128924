const { bootstrapWorker } = require("@vendure/core");
const { config } = require("./config");

process.on("disconnect", () => process.exit(0));
bootstrapWorker(config).then((worker) => worker.startJobQueue());
