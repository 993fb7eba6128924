-- Give a lease back, but only one's own: it may be another client's by now.
-- KEYS[1] lease · ARGV[1] owner
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
