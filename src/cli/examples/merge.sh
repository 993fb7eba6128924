# A thousand seeds in two parts, which two machines can make, and the report of all
work='simulate scenarios/outbox.toml --seeds 1000 --format json'
oversell-sim $work --partition slice:1/2 > part-1.json
oversell-sim $work --partition slice:2/2 > part-2.json
oversell-sim merge part-1.json part-2.json
# The same as a page
oversell-sim merge part-*.json --format html --output report.html
