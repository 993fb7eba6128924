module.exports = {
  serveAdminPanel: false,
  auth: { secret: "not a secret" },
  apiToken: { salt: "not a secret" },
  transfer: { token: { salt: "not a secret" } },
  secrets: { encryptionKey: "0123456789abcdef0123456789abcdef" },
};
