-- opened: the keeper opened a place of one handset: kept for its phone, the newest ones alone, and said.
-- KEYS  opened:<handset> people:changes
-- ARGV  time in ms, value, how many are kept, for how many ms, the handset, how many changes are kept
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local times = redis.call('HKEYS', KEYS[1])
table.sort(times, function(a, b) return (tonumber(a) or 0) > (tonumber(b) or 0) end)
for i, time in ipairs(times) do
	if i > tonumber(ARGV[3]) or (tonumber(time) or 0) + tonumber(ARGV[4]) < tonumber(ARGV[1]) then
		redis.call('HDEL', KEYS[1], time)
	end
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'h', 'opened', 'k', ARGV[5])
return 1
