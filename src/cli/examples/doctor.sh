# Walk through an application once (the example is in Python)
oversell-sim init app my-shop
oversell-sim doctor --app my-shop/shop.toml
# The same with both requests in the name of one buyer: a double click
oversell-sim doctor --app my-shop/shop.toml --same-buyer
