# What is ready, and what each store can do
oversell-sim stores
# Only what is missing
oversell-sim stores | grep missing || echo 'all are ready'
