-- Decrement if enough is left. A script runs alone, so no other command gets in between.
-- KEYS[1] stock · ARGV[1] units
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
    return 0
end
redis.call('DECRBY', KEYS[1], ARGV[1])
return 1
