# A thousand buyers, one unit: is it sold once?
oversell-sim race --strategy cas --buyers 1000 --stock 1
# Two checkouts on a database, as a test that fails if one of them oversells
oversell-sim race --strategy conditional,hold --store sqlite --expect 'oversold = 0'
# The first of four machines that race at one server together, a minute from now
oversell-sim race --strategy cas --seed 1 --store postgres --url "$SHOP_URL" --allow-remote \
    --partition slice:1/4 --start-at $(($(date +%s) + 60)) --format json --output part-1.json
