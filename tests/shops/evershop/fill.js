// What `evershop install` does once it has asked its questions: it creates the tables. And a telephone, of which there
// is one.
process.env.NODE_ENV = "production";
process.env.ALLOW_CONFIG_MUTATIONS = "true";
const base = new URL("./node_modules/@evershop/evershop/dist/", import.meta.url);
const { getCoreModules } = await import(new URL("bin/lib/loadModules.js", base));
const { migrate } = await import(new URL("bin/lib/bootstrap/migrate.js", base));
const { pool } = await import(new URL("lib/postgres/connection.js", base));

await migrate(getCoreModules());
await pool.query(`
  WITH telephone AS (
    INSERT INTO product (sku, price, status, visibility, no_shipping_required)
    VALUES ('last', 10, true, true, true) RETURNING product_id
  ), named AS (
    INSERT INTO product_description (product_description_product_id, name, url_key)
    SELECT product_id, 'The last telephone', 'last' FROM telephone
  )
  INSERT INTO product_inventory (product_inventory_product_id, qty, manage_stock, stock_availability)
  SELECT product_id, 1, true, true FROM telephone`);
process.exit(0);
