# The story of the last unit, told line by line
oversell-sim simulate scenarios/last-iphone.toml --seed 1
# A thousand seeds of it, as a test
oversell-sim simulate scenarios/last-iphone.toml --seeds 1000 --expect 'oversold = 0'
