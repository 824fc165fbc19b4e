-- change: set one field of a hash, and say so where consoles follow it.
-- KEYS  hash [people:changes]
-- ARGV  the hash's name, field, value, how many changes are kept [what must be there, "": nothing]
-- Answers 1 set, 0 something else is there.
if ARGV[5] and (redis.call('HGET', KEYS[1], ARGV[2]) or '') ~= ARGV[5] then
	return 0
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
if KEYS[2] then
	redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'h', ARGV[1], 'k', ARGV[2])
end
return 1
