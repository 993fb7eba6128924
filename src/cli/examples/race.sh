# A thousand buyers, one unit: is it sold once?
oversell-sim race --strategy cas --buyers 1000 --stock 1
# Two checkouts on a database, as a test that fails if one of them oversells
oversell-sim race --strategy conditional,hold --store sqlite --expect 'oversold = 0'
