# Sell the last unit twice; help lists the keys
oversell-sim play --strategy naive
# The same with a timer that may run out (A~) and a server that may die (A!)
oversell-sim play --strategy hold --expiries 1 --crashes 1
