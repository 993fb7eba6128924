-- Ends the time of every key that has a time to live; returns how many those were.
local ended = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('PTTL', key) >= 0 then
    redis.call('PEXPIRE', key, 0)
    ended = ended + 1
  end
end
return ended
