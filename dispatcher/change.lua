-- change: set one field of a hash that consoles follow, and say so.
-- KEYS  hash people:changes
-- ARGV  the hash's name, field, value, how many changes are kept
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'h', ARGV[1], 'k', ARGV[2])
return 1
