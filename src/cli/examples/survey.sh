# Three strategies in the model and on SQLite
oversell-sim survey --strategy naive,cas,pessimistic --store sqlite
# Transactions at every level, as a page in a file; without --strategy, all strategies
oversell-sim survey --strategy transaction --store sqlite --output survey.md
