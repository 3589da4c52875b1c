--- Many people into many providers: validated before the first call, journalled
-- row by row, and gone on with where it stopped, whatever stopped it.
-- @module usher.onboarding.import

local core = require "usher.core"
local csv = require "usher.onboarding.csv"
local failures = require "usher.onboarding.failures"
local feeds = require "usher.onboarding.feed"
local map = require "usher.map"
local scheduler = require "usher.scheduler"
local sources = require "usher.onboarding.sources"
local upserts = require "usher.onboarding.upsert"
local validate = require "usher.onboarding.validate"

local M = {}

local CONCURRENCY = 32
local PIECE = 0.25 -- longest wait in one piece, in seconds: a request to stop is seen in between
local COMMIT_EVERY = 0.25 -- seconds: a process that is killed forgets no more of what ended

-- --- what import is given -----------------------------------------------------------------------

local option_types = {
  format = "string", columns = "table", delimiter = "string", concurrency = "number",
  rate = "number", name = "string", failures = "string", on_look = "function",
  on_row = "function", stop = "function",
}
local option_names = { "format", "columns", "delimiter", "concurrency", "rate", "name", "failures",
  "on_look", "on_row", "stop" }

local function type_problem(options)
  for name, value in pairs(options) do
    local expected = option_types[name]
    if not expected then
      local nearest = core.nearest(tostring(name), option_names)
      return ("unknown option '%s'%s"):format(tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or "")
    elseif type(value) ~= expected then
      return ("%s must be a %s"):format(name, expected)
    end
  end
end

local function columns_problem(columns)
  for field, name in pairs(columns) do
    if type(field) ~= "string" or not sources.is_field(field) then
      return ("columns: a person has no field '%s'"):format(tostring(field))
    elseif type(name) ~= "string" then
      return ("columns: %s must be the name of a column"):format(field)
    end
  end
end

local function value_problem(options)
  local concurrency, rate = options.concurrency, options.rate
  if options.format and not sources.FORMATS[options.format] then
    return "format must be \"csv\" or \"jsonl\""
  elseif concurrency and not (concurrency >= 1 and concurrency == math.floor(concurrency)
    and concurrency < math.huge) then
    return "concurrency must be a whole number from 1"
  elseif rate and not (rate > 0 and rate <= 1e6) then
    return "rate must be above 0 and at most 1000000"
  end
  local problem = options.delimiter and csv.delimiter_problem(options.delimiter)
  if problem then return "delimiter " .. problem end
  return columns_problem(options.columns or {})
end

local function source_problem(line, source, options)
  if type(source) ~= "string" and type(source) ~= "function" then
    return "the source must be a path or an iterator"
  elseif options.failures and type(source) == "string"
    and (options.failures == source or core.is_same_file(options.failures, source)) then
    return "failures must be another file than the source"
  elseif line.ledger and type(source) == "function" and not options.name then
    return "an iterator needs a name, to go on with it later"
  end
end

--- Raises what is wrong with what `import` is given, at `level` counted from the caller.
function M.check(line, source, options, level)
  local problem
  if type(options) ~= "table" then
    problem = "options must be a table"
  else
    problem = type_problem(options) or value_problem(options)
      or source_problem(line, source, options)
  end
  if problem then error("usher.onboarding:import: " .. problem, level + 1) end
end

local function failure(kind, message, problems)
  return core.error{ method = "import", kind = kind, message = message, retryable = false,
    request_sent = false, attempts = 0, problems = problems }
end

-- --- one row ------------------------------------------------------------------------------------

local function count(run, provider, word)
  local counts = run.summary.providers[provider]
  counts[word] = (counts[word] or 0) + 1
end

-- Nothing that follows would fare better.
local function is_fatal(err)
  return err.status == 401 or err.kind == "cancelled"
end

-- Into one provider: nil, or the error. What may have been done gets no outcome.
local function put(run, item, provider)
  local done, err, unknown = upserts.upsert(run.clients[provider], provider, item.person,
    item.begun)
  count(run, provider, done and done.action or "failed")
  if run.journal and (done or not unknown) then
    local text = upserts.text(provider, item.person, item.text)
    if done then
      run.journal:done(item.line, provider, text)
    else
      run.journal:failed(item.line, provider, text, tostring(err))
    end
  end
  if err and is_fatal(err) then run.failure = run.failure or err end
  return err
end

-- Into all that it has to be put into: the first error, all errors in words, and whether it came
-- to each of them.
local function put_all(run, item)
  local problems, first = {}, nil
  for _, provider in ipairs(item.todo) do
    if run.failure then return first, table.concat(problems, "; "), false end
    local err = put(run, item, provider)
    if err then
      problems[#problems + 1] = tostring(err)
      first = first or err
    end
  end
  return first, table.concat(problems, "; "), true
end

-- What an earlier run has done of a row is counted as that.
local function count_earlier(run, item)
  if item.todo[#run.providers] then return end
  local todo = {}
  for _, provider in ipairs(item.todo) do todo[provider] = true end
  for _, provider in ipairs(run.providers) do
    if not todo[provider] then count(run, provider, "earlier") end
  end
end

local function import_row(run, item)
  if run.failure then return end
  count_earlier(run, item)
  local err, words, complete = put_all(run, item)
  if not (err or complete) then return end -- it remains
  local outcome = err and "failed" or item.todo[1] and "done" or "earlier"
  run.summary[outcome] = run.summary[outcome] + 1
  if err and run.failures then
    local ok, problem = run.failures:write(item.row, words)
    if not ok then run.failure = run.failure or failure("invalid", problem) end
  end
  if run.options.on_row then run.options.on_row(run.summary, item, err) end
end

-- --- all of them --------------------------------------------------------------------------------

local function wants_stop(run)
  if core.interrupted() or (run.options.stop and run.options.stop()) then
    run.summary.stopped = true
  end
  return run.summary.stopped or run.failure ~= nil
end

-- Waits for the next row's time; false when it is not to be.
local function keep_pace(run)
  local rate = run.options.rate
  while rate do
    local wait = run.next_at - core.monotonic()
    if wait <= 0 then break end
    scheduler.pause(math.min(wait, PIECE))
    if wants_stop(run) then return false end
  end
  if rate then run.next_at = math.max(run.next_at, core.monotonic() - 1 / rate) + 1 / rate end
  return true
end

-- What ended is committed with the rows that are sent next; here when these take their time.
local function commit_ended(run)
  if not run.journal then return end
  local now, noted_at = core.monotonic(), run.feed.noted_at or 0
  if now < math.max(run.committed_at, noted_at) + COMMIT_EVERY then return end
  run.committed_at = now
  local ok, problem = run.ledger:flush()
  if not ok then run.failure = run.failure or failure("ledger", problem) end
end

local function rows(run)
  return function()
    commit_ended(run)
    if wants_stop(run) then return nil end
    local item, kind, problem = run.feed:take()
    if kind then
      run.failure = run.failure or failure(kind, problem)
    elseif item and item.todo[1] and not keep_pace(run) then
      return nil
    end
    return item
  end
end

local function run_all(run)
  local ok, err = pcall(map.map, rows(run), function(item)
    import_row(run, item)
    return true
  end, { concurrency = run.concurrency, on_result = function() end })
  if core.interrupted() then run.summary.stopped = true end
  return ok, err
end

local function close(run)
  local summary, ledger = run.summary, run.ledger
  summary.remaining = summary.rows - summary.done - summary.earlier - summary.failed
  summary.stopped = summary.stopped and summary.remaining > 0
  run.feed:close()
  run.source.close()
  if run.failures then
    local ok, problem = run.failures:close(summary.remaining == 0)
    if not ok then run.failure = run.failure or failure("invalid", problem) end
  end
  if ledger then
    run.journal:leave()
    local ok, problem = ledger:flush()
    if not ok then run.failure = run.failure or failure("ledger", problem) end
  end
  if run.failure then return nil, run.failure, summary end
  return summary
end

-- Opens what a run needs beside the source, which is walked a second time.
local function begin(run, pages)
  local options, journal = run.options, nil
  local reader, problem = run.source.walk()
  if not reader then return failure("invalid", problem) end
  if options.failures then
    run.failures, problem = failures.open(options.failures, reader.head, options.delimiter)
    if not run.failures then return failure("invalid", problem) end
  end
  if run.ledger then
    journal, problem = run.ledger:import(options.name or run.source.name, true)
    if not journal then return failure("ledger", problem) end
  end
  run.journal = journal
  run.feed = feeds.new(run, reader, pages, journal, options, run.concurrency)
end

local function new_run(line, source, options, total)
  local summary = { rows = total, done = 0, earlier = 0, failed = 0, stopped = false,
    providers = {} }
  for _, provider in ipairs(line.providers) do summary.providers[provider] = {} end
  return {
    clients = line.clients, providers = line.providers, ledger = line.ledger, options = options,
    source = source, concurrency = options.concurrency or CONCURRENCY,
    next_at = core.monotonic(), committed_at = core.monotonic(), summary = summary,
  }
end

local function stopped_early()
  return failure("cancelled", "stopped before all rows were looked at: nothing was sent")
end

local function refusal(problems)
  return failure("invalid", "nothing was sent:\n  " .. table.concat(problems, "\n  "), problems)
end

-- A run that has looked at every row and may begin, or why it may not.
local function prepare(line, source, options)
  local total, problems, pages = validate.all(line, source, options.on_look)
  if core.interrupted() then
    return nil, stopped_early()
  elseif problems[1] then
    return nil, refusal(problems)
  end
  local run = new_run(line, source, options, total)
  local err = begin(run, pages)
  if err then return nil, err end
  return run
end

local function import(line, source, options)
  local opened, problem = sources.open(source, options)
  if not opened then
    return nil, core.interrupted() and stopped_early() or failure("invalid", problem, { problem })
  end
  local ok, run, err = pcall(prepare, line, opened, options)
  if not (ok and run) then opened.close() end
  if not ok then error(run, 0) end
  if not run then return nil, err end
  local summary, begun, raised
  ok, raised = run_all(run)
  summary, err, begun = close(run)
  if not ok then error(raised, 0) end
  return summary, err, begun
end

--- Imports people.
-- @tparam table line the onboarding line: `clients`, `providers`, `ledger`
-- @tparam string|function source
-- @tparam table options
-- @treturn ?table summary
-- @treturn[2] nil
-- @treturn[2] table error
-- @treturn[2] ?table the summary, when it had begun
function M.import(line, source, options)
  core.catch_interrupts(true)
  local ok, summary, err, begun = pcall(import, line, source, options)
  core.catch_interrupts(false)
  if not ok then error(summary, 0) end
  return summary, err, begun
end

return M
