-- Give held units back, if the hold still stands.
-- KEYS[1] stock · KEYS[2] given back · KEYS[3] holds by time of ending · KEYS[4] this hold ·
-- KEYS[5] what became of it · ARGV[1] buyer · ARGV[2] item
local units = redis.call('GET', KEYS[4])
if not units or redis.call('GET', KEYS[5]) ~= 'standing:' .. ARGV[2] then
    return 0
end
redis.call('DEL', KEYS[4])
redis.call('ZREM', KEYS[3], ARGV[1] .. ':' .. units)
redis.call('INCRBY', KEYS[1], units)
redis.call('INCRBY', KEYS[2], units)
redis.call('SET', KEYS[5], 'over:' .. ARGV[2])
return 1
