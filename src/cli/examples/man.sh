# The page of oversell-sim itself
oversell-sim man > oversell-sim.1
# The page of one command
oversell-sim man race > oversell-sim-race.1
