# A schedule that explore has printed: A reads, B reads, A writes, B writes
oversell-sim replay --strategy naive --schedule ABAB
# A schedule that explore has written to a file
oversell-sim explore --strategy cart-order --record deadlock.toml
oversell-sim replay --schedule-file deadlock.toml
