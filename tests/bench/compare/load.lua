-- wrk's side of a run: requests of COUNT hosts in turn, and one line of figures at the end.
-- Arguments: PATH HOST-PREFIX COUNT [FIELD VALUE]...; COUNT 0: the prefix is the one host's name.
local requests, at = {}, 0

function init(args)
  local path, prefix, count = args[1], args[2], tonumber(args[3])
  local fields = {}
  for i = 4, #args, 2 do fields[args[i]] = args[i + 1] end
  for i = 1, math.max(count, 1) do
    fields["Host"] = count > 0 and (prefix .. (i - 1) .. ".gw.localhost") or prefix
    requests[i] = wrk.format("GET", path, fields)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %d %.3f %.3f\n", summary.requests, summary.duration, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
