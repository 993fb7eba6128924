-- Takes units if that many are left; says whether it did.
local left = tonumber(redis.call('GET', KEYS[1]))
if left < tonumber(ARGV[1]) then
    return 0
end
redis.call('DECRBY', KEYS[1], ARGV[1])
return 1
