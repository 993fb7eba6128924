# How does a checkout behave as more buyers come?
oversell-sim sweep --strategy cas --buyers 1..1000 --rounds 3
# A grid, which can be interrupted and goes on where it was
oversell-sim sweep --strategy cas --buyers 10,100 --stock 1,10 --resume sweep.jsonl
