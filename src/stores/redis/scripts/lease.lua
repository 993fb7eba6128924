-- A lock that ends by itself, with a token that is higher than any before it; 0 if another client has it.
-- KEYS[1] lease · KEYS[2] tokens given · ARGV[1] owner · ARGV[2] ms
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return 0
end
return redis.call('INCR', KEYS[2])
