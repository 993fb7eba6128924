-- Keep the held units for good: 1 if the hold still stood or had been confirmed, 0 if it is over, -1 if there
-- never was one.
-- KEYS[1] holds by time of ending · KEYS[2] this hold · KEYS[3] what became of it · ARGV[1] buyer · ARGV[2] item
local held = redis.call('GET', KEYS[3])
if held == 'confirmed:' .. ARGV[2] then
    return 1
end
if held == 'over:' .. ARGV[2] then
    return 0
end
if held ~= 'standing:' .. ARGV[2] then
    return -1
end
local units = redis.call('GET', KEYS[2])
if not units then
    return 0
end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1] .. ':' .. units)
redis.call('SET', KEYS[3], 'confirmed:' .. ARGV[2])
return 1
