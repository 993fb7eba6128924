# A thousand seeds in two parts, which two machines can make, and the report of all
oversell-sim simulate scenarios/hold-or-lose.toml --seeds 1000 --partition slice:1/2 --format json --output part-1.json
oversell-sim simulate scenarios/hold-or-lose.toml --seeds 1000 --partition slice:2/2 --format json --output part-2.json
oversell-sim merge part-1.json part-2.json
# The same as a page
oversell-sim merge part-*.json --format html --output report.html
