-- commit: write one version of an alert, or say why not.  The record, the two sorted sets and the feed entry change together.
-- What the phone signed goes into the feed where it is new: the archive keeps it, a restore needs it.
-- KEYS  alert open due tombstones feed epoch
-- ARGV  1 id  2 expected version (0: none)  3 epoch  4 version  5 state  6 due in ms, from now on  7 urgency  8 record
--       9 signed alert ("": leave)  10 event  11 by  12 command
--       13 tombstone ("": stays open)  14... ids that get the tombstone: its own, and others that are not open themselves
-- Answers {1, version, ms} done | {0, version, record} another version is there | {-1, tombstone} closed | {-2, epoch}.
local epoch = tonumber(redis.call('GET', KEYS[6]) or '0')
if epoch ~= tonumber(ARGV[3]) then
	return { -2, epoch }
end
local tombstone = redis.call('HGET', KEYS[4], ARGV[1])
if tombstone then
	return { -1, tombstone }
end
local version = tonumber(redis.call('HGET', KEYS[1], 'v') or '0')
if version ~= tonumber(ARGV[2]) then
	return { 0, version, redis.call('HGET', KEYS[1], 'r') or '' }
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local at = string.format('%d', now)
local due = '0'
if ARGV[13] == '' then
	due = string.format('%d', now + tonumber(ARGV[6]))
	redis.call('ZADD', KEYS[2], ARGV[7], ARGV[1])
	redis.call('ZADD', KEYS[3], due, ARGV[1])
else
	redis.call('ZREM', KEYS[2], ARGV[1])
	redis.call('ZREM', KEYS[3], ARGV[1])
	for i = 14, #ARGV do
		if i == 14 or not redis.call('ZSCORE', KEYS[2], ARGV[i]) then
			redis.call('HSET', KEYS[4], ARGV[i], ARGV[13])
		end
	end
end
redis.call('HSET', KEYS[1], 'f', '1', 'v', ARGV[4], 's', ARGV[5], 'due', due, 'r', ARGV[8])
local entry = { 'f', '1', 't', 'alert', 'id', ARGV[1], 'v', ARGV[4], 'e', ARGV[10], 'by', ARGV[11], 'c', ARGV[12], 'at', at,
	'r', ARGV[8] }
if ARGV[9] ~= '' then
	redis.call('HSET', KEYS[1], 'signed', ARGV[9])
	table.insert(entry, 'signed')
	table.insert(entry, ARGV[9])
end
redis.call('XADD', KEYS[5], '*', unpack(entry))
return { 1, tonumber(ARGV[4]), now }
