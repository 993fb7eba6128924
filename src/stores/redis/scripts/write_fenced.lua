-- Overwrite the stock, for the client that shows the latest token.
-- KEYS[1] stock · KEYS[2] latest token seen · ARGV[1] token · ARGV[2] stock
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(ARGV[1]) then
    return 0
end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], ARGV[2])
return 1
