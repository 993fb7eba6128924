# The page of oversell-sim itself
oversell-sim man > oversell-sim.1
# The page of one command
oversell-sim man race > oversell-sim-race.1
# The pages of all commands, in a folder where `man` finds them if ~/.local/bin is in PATH
oversell-sim man --all ~/.local/share/man/man1
