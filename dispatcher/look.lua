-- look: how an alert stands, in the words of commit.lua.
-- KEYS  alert tombstones
-- ARGV  id
-- Answers {0, version, record} (0 and "" where there is none) | {-1, tombstone}.
local tombstone = redis.call('HGET', KEYS[2], ARGV[1])
if tombstone then
	return { -1, tombstone }
end
local alert = redis.call('HMGET', KEYS[1], 'v', 'r')
return { 0, tonumber(alert[1] or '0'), alert[2] or '' }
