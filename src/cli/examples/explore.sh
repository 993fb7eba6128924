# The shortest way to break a checkout
oversell-sim explore --strategy naive
# The same as a page, in which you choose whose step comes next
oversell-sim explore --strategy naive --format html --output naive.html
# Every order of the steps of a specification of PostgreSQL's isolation tester
oversell-sim explore --spec tests/isolation/specs/last-unit.spec --every-order
# A proof that no order of three buyers' statements breaks it on a database
oversell-sim explore --strategy pessimistic --buyers 3 --store sqlite
