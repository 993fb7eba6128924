-- Reserve units: a key that ends by itself says that the hold stands, and a list by time of ending says whose
-- units to put back when it has.
-- KEYS[1] stock · KEYS[2] given back · KEYS[3] holds by time of ending · KEYS[4] this hold ·
-- KEYS[5] what became of the buyer's hold · ARGV[1] buyer · ARGV[2] units · ARGV[3] ms · ARGV[4] item ·
-- ARGV[5] prefix
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- What stood too long goes back first.
local over = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)
for _, member in ipairs(over) do
    local buyer, units = string.match(member, '(%d+):(%d+)')
    if redis.call('EXISTS', ARGV[5] .. 'hold:' .. ARGV[4] .. ':' .. buyer) == 0 then
        redis.call('ZREM', KEYS[3], member)
        redis.call('INCRBY', KEYS[1], units)
        redis.call('INCRBY', KEYS[2], units)
        if redis.call('GET', ARGV[5] .. 'held:' .. buyer) == 'standing:' .. ARGV[4] then
            redis.call('SET', ARGV[5] .. 'held:' .. buyer, 'over:' .. ARGV[4])
        end
    end
end

-- A buyer has one hold. One that ran out, of another product, is given back when a client asks for that.
local held = redis.call('GET', KEYS[5]) or 'none'
local product = string.match(held, '^standing:(%d+)')
if string.match(held, '^confirmed')
    or product and redis.call('EXISTS', ARGV[5] .. 'hold:' .. product .. ':' .. ARGV[1]) == 1 then
    return 0
end
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[2]) then
    return 0
end
redis.call('DECRBY', KEYS[1], ARGV[2])
redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1] .. ':' .. ARGV[2])
redis.call('SET', KEYS[5], 'standing:' .. ARGV[4])
return 1
