# The shortest way to break a checkout
oversell-sim explore --strategy naive
# A proof that no order of three buyers' statements breaks it on a database
oversell-sim explore --strategy pessimistic --buyers 3 --store sqlite
