module.exports = {
  "users-permissions": {
    config: {
      jwtSecret: "not a secret",
      // Five requests a minute are fewer than a search sends.
      ratelimit: { enabled: false },
    },
  },
};
