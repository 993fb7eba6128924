// A Vendure shop with nothing but what its documentation asks for. It finds its database by its environment.
const { DefaultJobQueuePlugin, DefaultLogger, LogLevel, dummyPaymentHandler } = require("@vendure/core");

const env = process.env;

exports.config = {
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  apiOptions: { hostname: "127.0.0.1", port: Number(env.PORT) },
  authOptions: {
    tokenMethod: ["bearer", "cookie"],
    superadminCredentials: { identifier: "superadmin", password: "superadmin" },
    cookieOptions: { secret: "not a secret" },
  },
  dbConnectionOptions: {
    type: "postgres",
    url: env.DATABASE_URL,
    synchronize: env.CREATE_TABLES === "1",
    logging: false,
  },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  plugins: [DefaultJobQueuePlugin],
};
