# Which of three checkouts is faster here, and is that more than noise?
oversell-sim compare --strategy conditional,cas,pessimistic --buyers 500
# The same checkout at two stores
oversell-sim compare --strategy conditional --store memory,sqlite --buyers 20 --rounds 8
