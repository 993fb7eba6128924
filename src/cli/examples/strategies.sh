# All strategies
oversell-sim strategies
# Those that need a lock
oversell-sim strategies | grep --before-context=1 'needs.* lock'
