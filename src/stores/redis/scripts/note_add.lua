-- Adds a note, if there is a place for notes and none of this name. A script runs alone, so the place cannot go in between.
-- KEYS[1] notes · ARGV[1] the field that says that there is a place · ARGV[2] name · ARGV[3] text
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
    return -1
end
return redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3])
