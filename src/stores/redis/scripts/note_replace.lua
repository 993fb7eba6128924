-- Replaces a note, if there is one of this name. A script runs alone, so the note cannot go in between.
-- KEYS[1] notes · ARGV[1] name · ARGV[2] text
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
    return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
