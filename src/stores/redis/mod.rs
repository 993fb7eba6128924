//! Stock in a Redis server.
