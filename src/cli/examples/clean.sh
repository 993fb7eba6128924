# Keep a filled database, and remove it again (the example is in Python)
oversell-sim init app my-shop
oversell-sim doctor --app my-shop/shop.toml --keep
oversell-sim clean
# Remove those that were kept in a directory of your own
OVERSELL_SIM_KEPT=kept oversell-sim clean
