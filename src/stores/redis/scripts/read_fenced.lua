-- The stock, for the client that shows the latest token; nothing for any other.
-- KEYS[1] stock · KEYS[2] latest token seen · ARGV[1] token
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(ARGV[1]) then
    return false
end
redis.call('SET', KEYS[2], ARGV[1])
return redis.call('GET', KEYS[1]) or 0
