--- Many people into many providers: validated before the first call, journalled
-- row by row, and gone on with where it stopped, whatever stopped it.
-- @module usher.onboarding.import

local core = require "usher.core"
local csv = require "usher.onboarding.csv"
local map = require "usher.map"
local scheduler = require "usher.scheduler"
local sources = require "usher.onboarding.sources"
local upserts = require "usher.onboarding.upsert"
local validate = require "usher.onboarding.validate"

local M = {}

local CONCURRENCY = 32
local PIECE = 0.25 -- longest wait in one piece, in seconds: a request to stop is seen in between

local option_types = {
  format = "string", columns = "table", delimiter = "string", concurrency = "number",
  rate = "number", name = "string", failures = "string", on_row = "function", stop = "function",
}
local option_names = { "format", "columns", "delimiter", "concurrency", "rate", "name", "failures",
  "on_row", "stop" }

--- Raises what is wrong with what `import` is given, at `level` counted from the caller.
function M.check(line, source, options, level)
  local what = "usher.onboarding:import"
  for name, value in pairs(options) do
    local expected = option_types[name]
    if not expected then
      local nearest = core.nearest(tostring(name), option_names)
      error(("%s: unknown option '%s'%s"):format(what, tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or ""), level + 1)
    elseif type(value) ~= expected then
      error(("%s: %s must be a %s"):format(what, name, expected), level + 1)
    end
  end
  if type(source) ~= "string" and type(source) ~= "function" then
    error(what .. ": the source must be a path or an iterator", level + 1)
  elseif options.rate and not (options.rate > 0 and options.rate <= 1e6) then
    error(what .. ": rate must be above 0 and at most 1000000", level + 1)
  elseif options.delimiter and #options.delimiter ~= 1 then
    error(what .. ": delimiter must be one byte", level + 1)
  elseif options.failures and options.failures == source then
    error(what .. ": failures must be another file than the source", level + 1)
  elseif line.ledger and type(source) == "function" and not options.name then
    error(what .. ": an iterator needs a name, to go on with it later", level + 1)
  end
end

local function failure(kind, message, fields)
  local err = { method = "import", kind = kind, message = message, retryable = false,
    request_sent = false, attempts = 0 }
  for name, value in pairs(fields or {}) do err[name] = value end
  return core.error(err)
end

-- --- the rows that failed -----------------------------------------------------------------------

local function with_error(row, message)
  local value = core.decode(row)
  value._error = message
  return core.encode(value) .. "\n"
end

-- Opened with the first failure, so that there is no file when all went well.
local function write_failure(run, row, message)
  if not run.options.failures then return end
  local file = run.failed_rows
  if not file then
    local problem
    file, problem = io.open(run.options.failures, "wb")
    if not file then
      run.failure = run.failure or failure("invalid", problem)
      return
    end
    run.failed_rows = file
    if run.reader.head then
      local head = { "_error" }
      for _, name in ipairs(run.reader.head) do
        if name ~= "_error" then head[#head + 1] = name end
      end
      file:write(csv.line(head, run.options.delimiter))
    end
  end
  if not run.reader.head then return file:write(with_error(row, message)) end
  local fields = { message }
  for index, value in ipairs(row) do
    if run.reader.head[index] ~= "_error" then fields[#fields + 1] = value end
  end
  file:write(csv.line(fields, run.options.delimiter))
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

-- Into one provider: nil, or the error.
local function put(run, item, provider)
  local earlier = item.earlier[provider]
  if earlier and earlier.digest ~= item.digest then
    earlier = { state = earlier.state == "begun" and "begun" or nil } -- the row was edited
  end
  if earlier and earlier.state == "done" then return count(run, provider, "earlier") end
  local journal = run.journal
  if journal then
    local ok, problem = journal:begin(item.line, provider, item.digest)
    if not ok then
      run.failure = run.failure or failure("ledger",
        "the row could not be written down, so it was not sent: " .. problem)
      return run.failure
    end
  end
  local done, err = upserts.upsert(run.clients[provider], provider, item.person,
    earlier ~= nil and earlier.state == "begun")
  if done then
    if journal then journal:finish(item.line, provider, "done") end
    return count(run, provider, done.action)
  end
  if err.request_sent and not err.status then return err end -- unknown: it stays begun
  if journal then journal:finish(item.line, provider, "failed", tostring(err)) end
  return err
end

local function import_row(run, item)
  local problems = {}
  for _, provider in ipairs(run.providers) do
    if run.failure then return end
    local err = put(run, item, provider)
    if err then
      if err == run.failure then return end
      if is_fatal(err) then run.failure = run.failure or err end
      count(run, provider, "failed")
      problems[#problems + 1] = tostring(err)
    end
  end
  local summary, outcome = run.summary, "done"
  if problems[1] then
    outcome = "failed"
    write_failure(run, item.row, table.concat(problems, "; "))
  elseif item.was_done then
    outcome = "earlier"
  end
  summary[outcome] = summary[outcome] + 1
  if run.options.on_row then run.options.on_row(summary, item, problems[1]) end
end

-- --- all of them --------------------------------------------------------------------------------

local function wants_stop(run)
  if core.interrupted() or (run.options.stop and run.options.stop()) then
    run.summary.stopped = true
  end
  return run.summary.stopped or run.failure ~= nil
end

local function keep_pace(run)
  local rate = run.options.rate
  while rate do
    if wants_stop(run) then return false end
    local wait = run.next_at - core.monotonic()
    if wait <= 0 then break end
    scheduler.pause(math.min(wait, PIECE))
  end
  if rate then run.next_at = math.max(run.next_at, core.monotonic() - 1 / rate) + 1 / rate end
  return not wants_stop(run)
end

local function was_done(run, item)
  for _, provider in ipairs(run.providers) do
    local earlier = item.earlier[provider]
    if not earlier or earlier.state ~= "done" or earlier.digest ~= item.digest then return false end
  end
  return true
end

local function rows(run)
  return function()
    local person, line, problem, row = run.reader.next()
    if problem then -- it was read before: the file has changed since
      run.failure = failure("invalid", ("%s:%d: %s"):format(run.source.name, line, problem))
    end
    if not person or problem then return nil end
    local item = {
      person = person, line = line, row = row, digest = core.sha256(core.encode(person)):sub(1, 16),
    }
    item.earlier = run.journal and run.journal:earlier(line) or {}
    item.was_done = was_done(run, item)
    if not item.was_done and not keep_pace(run) then return nil end
    return item
  end
end

local function run_all(run)
  core.catch_interrupts(true)
  local ok, err = pcall(map.map, rows(run), function(item)
    import_row(run, item)
    return true
  end, { concurrency = run.options.concurrency or CONCURRENCY, on_result = function() end })
  if core.interrupted() then run.summary.stopped = true end
  core.catch_interrupts(false)
  if not ok then error(err, 0) end
end

local function close(run)
  run.reader.close()
  run.source.remove()
  local summary, ledger = run.summary, run.ledger
  if run.failed_rows and not run.failed_rows:close() then
    run.failure = run.failure or failure("invalid", run.options.failures .. " could not be written")
  end
  if ledger then
    local ok, problem = ledger:flush()
    if not ok then run.failure = failure("ledger", problem) end
  end
  summary.remaining = summary.rows - summary.done - summary.earlier - summary.failed
  if run.failure then return nil, run.failure, summary end
  return summary
end

local function refuse(source, problems)
  source.remove()
  return nil, failure("invalid", ("nothing was sent:\n  %s"):format(
    table.concat(problems, "\n  ")), { problems = problems })
end

-- Opens the journal, and the source a second time.
local function begin(run)
  local problem
  if run.ledger then
    run.journal, problem = run.ledger:import(run.options.name or run.source.name)
    if not run.journal then return failure("ledger", problem) end
  end
  run.reader, problem = run.source.open()
  if not run.reader then return failure("invalid", problem) end
  for _, provider in ipairs(run.providers) do run.summary.providers[provider] = {} end
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
  local opened, problem = sources.open(source, options)
  if not opened then return nil, failure("invalid", problem) end
  local total, problems = validate.all(line.clients, opened)
  if problems[1] then return refuse(opened, problems) end
  local run = {
    clients = line.clients, providers = line.providers, ledger = line.ledger, options = options,
    source = opened, next_at = core.monotonic(),
    summary = { rows = total, done = 0, earlier = 0, failed = 0, stopped = false, providers = {} },
  }
  local err = begin(run)
  if err then
    opened.remove()
    return nil, err
  end
  run_all(run)
  return close(run)
end

return M
