# Run a scenario, or all of a folder, and write the results for a CI server
oversell-sim check scenarios/last-unit.toml --junit results.xml
# Rehearse a checkout of your own, before it is explored
oversell-sim init sql my-checkout
oversell-sim check --checkout my-checkout/checkout.toml
