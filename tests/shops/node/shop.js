// A small shop on MySQL, by mysql2's pool and prepared statements. With REDIS_URL each buyer takes a reservation there
// first, by ioredis. CURE chooses what is done about the race: nothing, or a lock on the row. With CERTIFICATE both connections
// are encrypted, and the servers are known by that file.
const fs = require("fs");
const http = require("http");
const mysql = require("mysql2/promise");
const Redis = require("ioredis");

const file = process.env.CERTIFICATE;
const tls = file && { ca: fs.readFileSync(file) };
const ssl = tls && { ...tls, verifyIdentity: true };
const pool = mysql.createPool({ uri: process.env.MYSQL_URL, connectionLimit: 4, ssl });
const redis = process.env.REDIS_URL ? new Redis(process.env.REDIS_URL, { tls }) : null;
const cure = process.env.CURE || "";

// Look, then count: two may look before either counts. Or count, and look at what came of it.
async function reserve(item) {
  if (cure === "atomic") {
    if ((await redis.decr(`left:${item}`)) >= 0) return true;
    await redis.incr(`left:${item}`);
    return false;
  }
  if (Number(await redis.get(`left:${item}`)) < 1) return false;
  await redis.decr(`left:${item}`);
  return true;
}

async function buy(buyer) {
  if (redis) {
    if (!(await reserve(1))) return [409, "sold out"];
    await pool.execute("INSERT INTO purchase (buyer, product) VALUES (?, ?)", [buyer, 1]);
    await pool.execute("UPDATE product SET stock = stock - 1 WHERE id = ?", [1]);
    return [200, "bought"];
  }
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const lock = cure === "lock" ? " FOR UPDATE" : "";
    const [rows] = await connection.execute(`SELECT stock FROM product WHERE id = ?${lock}`, [1]);
    if (rows[0].stock < 1) {
      await connection.rollback();
      return [409, "sold out"];
    }
    await connection.execute("UPDATE product SET stock = ? WHERE id = ?", [rows[0].stock - 1, 1]);
    await connection.execute("INSERT INTO purchase (buyer, product) VALUES (?, ?)", [buyer, 1]);
    await connection.commit();
    return [200, "bought"];
  } finally {
    connection.release();
  }
}

async function answer(request) {
  const url = new URL(request.url, "http://shop");
  if (request.method !== "POST") {
    if (redis) await redis.set("left:1", 1);
    return [200, "open"];
  }
  return buy(Number(url.searchParams.get("buyer")));
}

http
  .createServer((request, response) => {
    answer(request)
      .catch((error) => [500, String(error)])
      .then(([status, text]) => response.writeHead(status).end(text));
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
