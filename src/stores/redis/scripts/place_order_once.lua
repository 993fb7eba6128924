-- Write an order, unless the buyer has one: of two who write at once, one writes.
-- KEYS[1] buyers with an order · KEYS[2] the buyer's lines · ARGV[1] buyer · ARGV[2] … its lines
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then
    return 0
end
for line = 2, #ARGV do
    redis.call('RPUSH', KEYS[2], ARGV[line])
end
return 1
