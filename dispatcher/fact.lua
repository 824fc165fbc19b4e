-- fact: set or clear one field of a hash of standing facts (notices, duty) and tell the feed; nothing happens when it is so already.
-- KEYS  hash feed
-- ARGV  type of the feed entry, field, value ("": clear)
-- Answers 1 changed, 0 as it was.
local before = redis.call('HGET', KEYS[1], ARGV[2]) or ''
if before == ARGV[3] then
	return 0
end
if ARGV[3] == '' then
	redis.call('HDEL', KEYS[1], ARGV[2])
else
	redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
end
local time = redis.call('TIME')
local at = string.format('%d', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
redis.call('XADD', KEYS[2], '*', 'f', '1', 't', ARGV[1], 'k', ARGV[2], 'at', at, 'r', ARGV[3])
return 1
