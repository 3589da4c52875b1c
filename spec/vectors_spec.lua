-- Walks the data of spec/vectors: for every method the exact request and the exact result, and
-- every awkward value in every place. It knows nothing of the endpoints beyond what the data say.

local usher = require "usher"
local core = require "usher.core"
local awkward = require "spec.vectors.awkward"

local PROVIDERS = usher.providers()

local vectors = {}
for _, provider in ipairs(PROVIDERS) do
  vectors[provider] = require("spec.vectors." .. provider)
end

-- ------------------------------------------------------------------------------------- the client

-- A deep copy of `value` in which "@NAME@" is replacements.NAME, where there is one.
local function fill(value, replacements)
  if type(value) == "string" then
    return (value:gsub("@(%u+)@", replacements))
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, member in pairs(value) do
    copy[key] = fill(member, replacements)
  end
  return copy
end

-- The options of a client: the defaults of the provider, without some, changed by the case.
local function client_options(provider, case)
  local options = {}
  for name, value in pairs(vectors[provider].client) do
    options[name] = value
  end
  for _, name in ipairs(case.without or {}) do
    options[name] = nil
  end
  for name, value in pairs(case.client or {}) do
    options[name] = value
  end
  local clock, random = options.clock, options.random
  options.clock = function() return clock end
  options.random = function() return random end
  return options
end

-- Calls run(client, sent), closes the client, and raises what was raised. `sent` is the list of the
-- requests the transport has seen; it answers each with the response of the case.
local function with_client(provider, case, run)
  local options = client_options(provider, case)
  local sent = {}
  options.transport = {
    send = function(request)
      sent[#sent + 1] = request
      local response = assert(case.response, "sent a request of a case that has no response")
      return response.status, fill(response.headers, {}), response.body
    end,
    sleep = function() error("a vector never waits") end,
  }
  local client = usher[provider](options)
  local ok, problem = pcall(run, client, sent)
  client:close()
  if not ok then error(problem, 0) end
end

-- What stands for "@BOUNDARY@": what the request says, if RFC 2046 allows it without quotes.
local function boundary_of(request)
  local content_type = request.headers["Content-Type"] or ""
  local boundary = content_type:match("^multipart/form%-data; boundary=(.*)$")
  if boundary then
    assert.is_truthy(boundary:find("^[%w'+_.-]+$"), "boundary needs quotes: " .. boundary)
    assert.is_true(#boundary <= 70, "boundary is too long: " .. boundary)
  end
  return boundary
end

local function expected_request(case, actual, replacements)
  return fill(case.request, {
    VERSION = usher._VERSION,
    BOUNDARY = boundary_of(actual),
    FILENAME = replacements.FILENAME,
  })
end

-- Writes case.file to a temporary file; returns what stands for it in the case, and a function that
-- removes it again.
local function temporary_file(case)
  if not case.file then
    return {}, function() end
  end
  local base = os.tmpname()
  local path = base .. case.arguments.source.path:match("@FILE@(.*)")
  local handle = assert(io.open(path, "wb"))
  handle:write(case.file)
  handle:close()
  return { FILE = base, FILENAME = base:match("[^/\\]+$") }, function()
    os.remove(path)
    os.remove(base)
  end
end

local function with_case(provider, case, run)
  local replacements, remove = temporary_file(case)
  local ok, problem = pcall(with_client, provider, case, function(client, sent)
    run(client, sent, fill(case.arguments, replacements), replacements)
  end)
  remove()
  if not ok then error(problem, 0) end
end

-- ---------------------------------------------------------------------------- requests and results

local function check_request(provider, case)
  with_case(provider, case, function(client, sent, arguments, replacements)
    local request = client:request(case.method, arguments)
    assert.are.same(expected_request(case, request, replacements), request)
    assert.are.equal(0, #sent)
  end)
end

-- The transport is handed what client:request shows.
local function check_sent(provider, case, sent, replacements)
  assert.are.equal(1, #sent)
  local request = sent[1]
  assert.are.equal(provider, request.provider)
  assert.are.equal(case.method, request.operation)
  if case.request then
    local wire = {
      method = request.method,
      url = request.url,
      headers = request.headers,
      body = request.body,
    }
    assert.are.same(expected_request(case, wire, replacements), wire)
  end
end

local function check_error(provider, case, problem)
  assert.are.equal("table", type(problem))
  assert.are.equal(provider, problem.provider)
  assert.are.equal(case.method, problem.method)
  for field, value in pairs(case.error) do
    assert.are.equal(value, problem[field], "the field " .. field .. " of the error")
  end
end

local function check_response(provider, case)
  with_case(provider, case, function(client, sent, arguments, replacements)
    local result, detail = client[case.method](client, arguments, case.options)
    check_sent(provider, case, sent, replacements)
    if case.error then
      assert.is_nil(result)
      check_error(provider, case, detail)
    else
      assert.are.same(case.result, result)
      assert.are.equal(case.response.status, detail.status)
    end
  end)
end

-- Whether `run` raises an error that has all of `mentions`: nil if it does, else what is wrong.
local function refusal_problem(run, mentions)
  local ok, raised = pcall(run)
  if ok then return "is not refused" end
  local text = tostring(raised)
  for _, mention in ipairs(mentions) do
    if not text:find(mention, 1, true) then
      return ("is refused without naming %q: %s"):format(mention, text:sub(1, 300))
    end
  end
end

local function check_refusal(provider, case)
  local mentions = { provider, case.method }
  for _, mention in ipairs(case.mentions) do
    mentions[#mentions + 1] = mention
  end
  with_client(provider, case, function(client, sent)
    assert.is_nil(refusal_problem(function()
      client:request(case.method, case.arguments)
    end, mentions))
    assert.is_nil(refusal_problem(function()
      client[case.method](client, case.arguments)
    end, mentions))
    assert.are.equal(0, #sent)
  end)
end

for _, provider in ipairs(PROVIDERS) do
  describe("the vectors of " .. provider, function()
    for _, case in ipairs(vectors[provider].cases) do
      local title = provider .. ":" .. case.method .. " " .. case.name
      if case.request then
        it(title .. " (request)", function() check_request(provider, case) end)
      end
      if case.response then
        it(title .. " (response)", function() check_response(provider, case) end)
      end
    end
    for _, case in ipairs(vectors[provider].refusals) do
      it(provider .. ":" .. case.method .. " is refused " .. case.name, function()
        check_refusal(provider, case)
      end)
    end
  end)
end

describe("a file that is not there", function()
  it("is an error before anything is sent", function()
    local base = os.tmpname()
    os.remove(base)
    local case = { response = { status = 201, headers = {}, body = "{}" } }
    with_client("smooch", case, function(client, sent)
      local arguments = { user_id = "bob", role = "appMaker", source = { path = base .. ".png" } }
      local ok, result, problem = pcall(client.post_image_message, client, arguments)
      assert.are.equal(0, #sent)
      local text = tostring(ok and problem or result)
      assert.is_false(ok and result ~= nil)
      for _, mention in ipairs { "smooch", "post_image_message", base } do
        assert.is_truthy(text:find(mention, 1, true), text)
      end
    end)
  end)
end)

-- ------------------------------------------------------------------------------------- signatures

describe("the signature of eRTC", function()
  local VECTORS = {
    ms = {
      nonce = "1700000000000",
      signature = "ff6ada759df8136fef594719c592f015828bd38aed5d252ba5f0669d8da6c039",
    },
    s = {
      nonce = "1700000000",
      signature = "cb5b9f1b79792704da8111d3c713f212bca1461bba1193606ceee31446bf460f",
    },
  }

  for unit, vector in pairs(VECTORS) do
    it("is the SHA-256 of key, bundle and time in " .. unit, function()
      with_client("ertc", { client = { nonce_unit = unit } }, function(client)
        local headers = client:request("reset_badge_count", { ertc_user_id = "user-1" }).headers
        assert.are.equal(vector.nonce, headers["X-Nonce"])
        assert.are.equal(vector.signature, headers["X-Request-Signature"])
        assert.are.equal(vector.signature,
          core.sha256("test-api-key~com.example.app~" .. vector.nonce))
      end)
    end)
  end

  it("follows the clock from one request to the next", function()
    local now = 1700000000
    local options = client_options("ertc", {})
    options.clock = function() return now end
    options.transport = function() error("nothing is sent") end
    local client = usher.ertc(options)
    local arguments = { ertc_user_id = "user-1" }
    local first = client:request("reset_badge_count", arguments).headers
    now = now + 1
    local second = client:request("reset_badge_count", arguments).headers
    client:close()
    assert.are.equal("1700000000000", first["X-Nonce"])
    assert.are.equal("1700000001000", second["X-Nonce"])
    assert.are.equal(core.sha256("test-api-key~com.example.app~1700000001000"),
      second["X-Request-Signature"])
  end)
end)

describe("the token of Smooch", function()
  local VECTORS = {
    {
      client = {},
      payload = '{"scope":"app"}',
      signature = "FO5zl__Vkv7G_7aMASi8h_pqJes51O_aE-l-p2zeGFA",
    },
    {
      client = { scope = "account", app_id = "app-1" },
      payload = '{"scope":"account"}',
      signature = "yNNjjNCY0S9O1LVdVBAo8FM8U_Bazsd4-A34RSD5ZV0",
    },
    {
      client = { scope = "appUser", user_id = "bob@example.com" },
      payload = '{"scope":"appUser","userId":"bob@example.com"}',
      signature = "bD9EEYXam7HH1fTRO1lFTekR3p6idDs7n98B6rZazvU",
    },
  }

  for _, row in ipairs(VECTORS) do
    it("carries and signs " .. row.payload, function()
      with_client("smooch", row, function(client)
        local headers = client:request("get_app_user", { user_id = "bob" }).headers
        local signed, payload, signature =
          headers["Authorization"]:match("^Bearer ([%w_-]+%.([%w_-]+))%.([%w_-]+)$")
        assert.are.equal('{"alg":"HS256","typ":"JWT","kid":"app_test_key"}',
          core.base64url_decode(signed:match("^[^.]+")))
        assert.are.equal(row.payload, core.base64url_decode(payload))
        assert.are.equal(row.signature, signature)
        assert.are.equal(row.signature,
          core.base64url_encode(core.hmac_sha256("test-secret", signed)))
      end)
    end)
  end
end)

-- --------------------------------------------------------------------------------- awkward values

local function abbreviate(value)
  local text = ("%q"):format(tostring(value))
  return #text > 200 and text:sub(1, 200) .. "..." or text
end

-- `text` with the value in it, character for character.
local function put(text, value, boundary)
  local replacements = { VALUE = value, BOUNDARY = boundary }
  return (text:gsub("@(%u+)@", replacements))
end

local KINDS = { "path", "query", "body", "free", "form", "header", "credential" }

local function text_of(row) return row.text or row.value end

-- For each kind of place: the field of the request that holds the value, and what it must be.

local EXPECTED = {
  path = function(place, row) return "url", put(place.url, row.encoded) end,
  query = function(place, row) return "url", put(place.url, row.encoded) end,
  body = function(place, row) return "body", put(place.body, row.json) end,
  free = function(place, row) return "body", put(place.body, row.text or row.json) end,
  form = function(place, row, request)
    return "body", put(place.body, text_of(row), boundary_of(request))
  end,
  header = function(place, row) return place.header, put(place.text, text_of(row)) end,
  credential = function(place, row) return place.header, put(place.text, text_of(row)) end,
}

local REFUSED = {
  path = function(row) return row.in_path end,
  header = function(row) return row.in_header end,
  credential = function(row) return row.in_header end,
}

-- Whether the value belongs in the place at all: a key is a string; a credential is one too, and
-- an empty one is none.
local function applies(kind, place, row)
  if place.no_comma and type(row.value) == "string" and row.value:find(",", 1, true) then
    return false
  end
  if place.key or kind == "credential" then
    return type(row.value) == "string" and (kind ~= "credential" or row.value ~= "")
  end
  return true
end

-- The client and the arguments that put a value in a place.
local function placed(place, value)
  local case = { without = place.without, client = {} }
  local arguments = fill(place.arguments or {}, {})
  if place.option then
    case.client[place.option] = value
  elseif place.list then
    arguments[place.argument] = { value }
  elseif place.key then
    arguments[place.argument] = { [value] = true }
  elseif place.holds then
    arguments[place.argument] = { [place.holds] = value }
  else
    arguments[place.argument] = value
  end
  return case, arguments
end

local function built(place, value)
  local case, arguments = placed(place, value)
  local request
  with_client(place.provider, case, function(client, sent)
    request = client:request(place.method, arguments)
    assert(#sent == 0, "client:request has sent something")
  end)
  return request
end

-- A refused argument names its method; an option may be refused before there is one. No error holds
-- a credential.
local function check_refused(place, row)
  local mentions = place.option and { place.provider, place.option }
    or { place.provider, place.method, place.argument }
  mentions[#mentions + 1] = row.mentions
  local raised
  local problem = refusal_problem(function()
    local ok
    ok, raised = pcall(built, place, row.value)
    if not ok then error(raised, 0) end
  end, mentions)
  if not problem and place.option and #row.value > 2
    and tostring(raised):find(row.value, 1, true) then
    return "is refused with the credential in the message"
  end
  return problem
end

local function check_exact(kind, place, row)
  local ok, request = pcall(built, place, row.value)
  if not ok then return "raises " .. tostring(request) end
  local field, expected = EXPECTED[kind](place, row, request)
  local actual = (place.header and request.headers or request)[field]
  if actual ~= expected then
    return ("is %s, expected %s"):format(abbreviate(actual), abbreviate(expected))
  end
end

-- What is wrong in one place, a line a value.
local function walk(kind, place)
  local problems = {}
  local function note(row, problem)
    if problem then problems[#problems + 1] = row.name .. " " .. problem end
  end
  for _, row in ipairs(awkward.values) do
    if applies(kind, place, row) then
      if REFUSED[kind] and REFUSED[kind](row) then
        note(row, check_refused(place, row))
      elseif place.header or kind ~= "credential" then
        note(row, check_exact(kind, place, row))
      end
    end
  end
  for _, row in ipairs(awkward.refused) do
    if not place.option and not place.key and (kind ~= "free" or row.in_free) then
      note(row, check_refused(place, row))
    end
  end
  return problems
end

describe("awkward values", function()
  for _, kind in ipairs(KINDS) do
    for _, place in ipairs(awkward.places[kind]) do
      it(("are exact or refused in the %s of %s:%s, as %s"):format(
        kind, place.provider, place.method, place.argument or place.option), function()
        assert.are.same({}, walk(kind, place))
      end)
    end
  end
end)

-- --------------------------------------------------------------------------------------- coverage

-- What the vectors of a provider lack, a line each.
local function coverage_problems(methods, cases)
  local known, requests, responses, used, titles = {}, {}, {}, {}, {}
  local problems = {}
  local function note(...) problems[#problems + 1] = table.concat({ ... }, " ") end
  for _, method in ipairs(methods) do
    known[method.name] = true
  end
  for _, case in ipairs(cases) do
    local title = case.method .. " " .. case.name
    if not known[case.method] then note(case.method, "has a vector and no row") end
    if titles[title] then note(title, "stands twice") end
    titles[title] = true
    responses[case.method] = responses[case.method] or case.response and case.result ~= nil
    if case.request then
      requests[case.method] = true
      for argument in pairs(case.arguments) do
        used[case.method .. " " .. argument] = true
      end
    end
  end
  for _, method in ipairs(methods) do
    if not requests[method.name] then note(method.name, "has no request vector") end
    if not responses[method.name] then note(method.name, "has no response vector") end
    for _, parameter in ipairs(method.parameters) do
      if not used[method.name .. " " .. parameter.name] then
        note(method.name, "has no request vector with", parameter.name)
      end
    end
  end
  return problems
end

describe("the coverage of the vectors", function()
  for _, provider in ipairs(PROVIDERS) do
    it("is complete for " .. provider, function()
      local methods = usher.describe(provider).methods
      assert.is_true(#methods > 0)
      assert.are.same({}, coverage_problems(methods, vectors[provider].cases))
    end)
  end

  it("misses a method, an argument and a row", function()
    local methods = {
      { name = "covered", parameters = { { name = "room_id" }, { name = "limit" } } },
      { name = "forgotten", parameters = {} },
    }
    local cases = {
      {
        method = "covered",
        name = "works",
        arguments = { room_id = "room-1" },
        request = {},
        response = {},
        result = {},
      },
      { method = "invented", name = "works", arguments = {}, response = {}, result = {} },
      { method = "invented", name = "works", arguments = {}, response = {}, error = {} },
    }
    assert.are.same({
      "invented has a vector and no row",
      "invented has a vector and no row",
      "invented works stands twice",
      "covered has no request vector with limit",
      "forgotten has no request vector",
      "forgotten has no response vector",
    }, coverage_problems(methods, cases))
  end)
end)
