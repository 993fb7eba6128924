# What lessons are there?
oversell-sim learn
# The first: how two buyers get one unit, and how to see it
oversell-sim learn 1
