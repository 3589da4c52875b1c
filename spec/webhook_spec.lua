-- Webhooks are verified before they are read, and come in one shape.

local refusal = require "spec.support.refusal"
local usher = require "usher"

local TOKEN, SECRET = "test-signature-token", "webhook-secret-1"

local MESSAGE = '{"type":"post_comment_mobile","payload":{"from":{"id":7,"email":"bob@example.com",'
  .. '"name":"Bob 님"},"room":{"id":457,"type":"group","name":"Lobby"},'
  .. '"message":{"id":99,"type":"text","text":"free money"}}}'

local SMOOCH = '{"trigger":"message:appUser","app":{"_id":"a-1"},"appUser":{"_id":"u-1",'
  .. '"userId":"bob@example.com","givenName":"Bob"},"conversation":{"_id":"c-1"},'
  .. '"messages":[{"_id":"m-1","text":"hello","role":"appUser"}]}'

local function contains(value, words)
  assert.truthy(tostring(value):find(words, 1, true), ("no %q in: %s"):format(words,
    tostring(value)))
end

describe("A webhook of Qiscus", function()
  local hook = usher.webhook.qiscus{ token = TOKEN }

  it("has the published signature", function()
    local body = '{"type":"post_comment_rest"}'
    local signature = "336f14246608c252f44a56610d303cd064d13e4e27a42daa3b681e20b900b120"
    assert.equal(signature, hook:sign(body)["QISCUS-SDK-SIGNATURE"])
    local event = assert(hook:read({ ["qiscus-sdk-signature"] = signature }, body))
    assert.same({ "message", "post_comment_rest" }, { event.kind, event.trigger })
  end)

  it("is read in the shape of all", function()
    local event = assert(hook:read(hook:sign(MESSAGE), MESSAGE))
    assert.same({ "message", "99", "free money" }, { event.kind, event.id, event.text })
    assert.same({ id = "bob@example.com", name = "Bob 님" }, event.user)
    assert.same({ id = "457", name = "Lobby" }, event.room)
    assert.equal("group", event.raw.payload.room.type)
  end)

  it("takes the header in any case, and as a list", function()
    local signature = hook:sign(MESSAGE)["QISCUS-SDK-SIGNATURE"]
    for _, name in ipairs{ "qiscus-sdk-signature", "Qiscus-Sdk-Signature",
      "QISCUS-SDK-SIGNATURE" } do
      assert(hook:read({ [name] = signature }, MESSAGE))
      assert(hook:read({ [name] = { signature } }, MESSAGE))
    end
  end)

  local signature = hook:sign(MESSAGE)["QISCUS-SDK-SIGNATURE"]
  local flipped = (signature:gsub("^.", function(c) return c == "0" and "1" or "0" end))
  local tampered = {
    { "no signature", nil, MESSAGE },
    { "an empty signature", "", MESSAGE },
    { "another first digit", flipped, MESSAGE },
    { "another last digit", (signature:gsub(".$", function(c)
      return c == "0" and "1" or "0"
    end)), MESSAGE },
    { "a signature cut short", signature:sub(1, 63), MESSAGE },
    { "a signature too long", signature .. "0", MESSAGE },
    { "capitals", signature:upper(), MESSAGE },
    { "a blank before", " " .. signature, MESSAGE },
    { "a NUL behind", signature .. "\0", MESSAGE },
    { "the token itself", TOKEN, MESSAGE },
    { "a scheme before", "sha256=" .. signature, MESSAGE },
    { "a signature of nothing", hook:sign("")["QISCUS-SDK-SIGNATURE"], MESSAGE },
    { "a signature by another token",
      usher.webhook.qiscus{ token = "other" }:sign(MESSAGE)["QISCUS-SDK-SIGNATURE"], MESSAGE },
    { "one byte more in the body", signature, MESSAGE .. " " },
    { "one byte less in the body", signature, MESSAGE:sub(1, -2) },
    { "another user in the body", signature, (MESSAGE:gsub("bob", "eve")) },
    { "another case in the body", signature, (MESSAGE:gsub("free", "Free")) },
    { "the body written anew", signature, (MESSAGE:gsub(":", ": ")) },
    { "an empty body", signature, "" },
    { "the header twice, the first wrong", { flipped, signature }, MESSAGE },
    { "a number for a signature", 336, MESSAGE },
  }
  for _, row in ipairs(tampered) do
    it("is refused with " .. row[1], function()
      local event, err = hook:read({ ["qiscus-sdk-signature"] = row[2] }, row[3])
      assert.is_nil(event)
      assert.equal("signature", err.kind)
      for _, secret in ipairs{ TOKEN, signature, hook:sign(row[3])["QISCUS-SDK-SIGNATURE"] } do
        assert.is_nil(tostring(err):find(secret, 1, true))
      end
    end)
  end

  it("is not read before it is verified", function()
    local event, err = hook:read({}, "no JSON at all")
    assert.is_nil(event)
    assert.equal("signature", err.kind)
    event, err = hook:read(hook:sign("no JSON at all"), "no JSON at all")
    assert.is_nil(event)
    assert.equal("decode", err.kind)
    event, err = hook:read(hook:sign("[1]"), "[1]")
    assert.equal("other", (event or err).kind)
  end)

  it("is refused when it is too large, before it is hashed", function()
    local event, err = hook:read({}, ("x"):rep(1048577))
    assert.is_nil(event)
    assert.equal("too_large", err.kind)
  end)

  it("keeps every digit of an id", function()
    local body = '{"type":"post_comment_rest","payload":{"message":{"id":9007199254740993},'
      .. '"from":{"id":9223372036854775807},"room":{"id":457}}}'
    local event = assert(hook:read(hook:sign(body), body))
    assert.same({ "9007199254740993", "9223372036854775807", "457" },
      { event.id, event.user.id, event.room.id })
  end)

  it("has no shape but that of an event, whatever was signed", function()
    for _, body in ipairs{ '{"type":["x"],"payload":[1]}', '{"type":{"a":1},"payload":"x"}',
      '{"payload":{"message":{"text":{"a":1}},"from":7,"room":null}}', "{}", "[]" } do
      local event = assert(hook:read(hook:sign(body), body))
      assert.same({ kind = "other", user = {}, room = {} }, { kind = event.kind,
        trigger = event.trigger, id = event.id, text = event.text, user = event.user,
        room = event.room }, body)
    end
  end)

  it("of a kind that nobody knew is an event all the same", function()
    local body = '{"type":"room_renamed","payload":{}}'
    local event = assert(hook:read(hook:sign(body), body))
    assert.same({ "other", "room_renamed" }, { event.kind, event.trigger })
    assert.same({}, event.user)
  end)
end)

describe("A webhook of Smooch", function()
  local hook = usher.webhook.smooch{ secret = SECRET }

  it("is read in the shape of all", function()
    local event = assert(hook:read({ ["X-API-Key"] = SECRET }, SMOOCH))
    assert.same({ "message", "m-1", "hello" }, { event.kind, event.id, event.text })
    assert.same({ id = "bob@example.com", name = "Bob" }, event.user)
    assert.equal("c-1", event.room.id)
    assert.same({ ["Content-Type"] = "application/json", ["X-API-Key"] = SECRET },
      hook:sign(SMOOCH))
  end)

  for name, key in pairs{
    ["no secret"] = false, ["an empty one"] = "", ["one that is longer"] = SECRET .. "0",
    ["one that is shorter"] = SECRET:sub(1, -2), ["another first byte"] = "x" .. SECRET:sub(2),
    ["another last byte"] = SECRET:sub(1, -2) .. "x", ["capitals"] = SECRET:upper(),
    ["a blank before"] = " " .. SECRET, ["a NUL behind"] = SECRET .. "\0",
    ["a scheme before"] = "Bearer " .. SECRET, ["true"] = true, ["a list"] = { "x", SECRET },
  } do
    it("is refused with " .. name, function()
      local event, err = hook:read({ ["X-API-Key"] = key or nil }, SMOOCH)
      assert.is_nil(event)
      assert.equal("signature", err.kind)
      assert.is_nil(tostring(err):find(SECRET, 1, true))
    end)
  end

  it("is refused with the secret in another header", function()
    local _, err = hook:read({ ["X-API-Token"] = SECRET }, SMOOCH)
    assert.equal("signature", err.kind)
  end)

  it("tells what happened", function()
    local kinds = {
      message = "message", ["message:appUser"] = "message", ["message:appMaker"] = "message",
      ["conversation:read"] = "read", ["conversation:start"] = "started",
      ["conversation:referral"] = "referred", postback = "postback", ["merge:appUser"] = "merged",
      ["delivery:success"] = "delivered", ["delivery:failure"] = "undelivered",
      ["payment:success"] = "paid", ["link:success"] = "linked", ["link:failure"] = "link_failed",
      ["link:match"] = "linking", ["typing:appUser"] = "other",
    }
    for trigger, kind in pairs(kinds) do
      local body = ('{"trigger":"%s"}'):format(trigger)
      local event = assert(hook:read(hook:sign(body), body))
      assert.same({ kind, trigger }, { event.kind, event.trigger })
    end
  end)

  it("names who is left of two that were merged", function()
    local body = '{"trigger":"merge:appUser","surviving":{"_id":"u-1","userId":"bob"},'
      .. '"discarded":[{"_id":"u-2"}]}'
    assert.equal("bob", assert(hook:read(hook:sign(body), body)).user.id)
  end)
end)

describe("usher.webhook", function()
  it("raises for options and arguments that make no sense", function()
    contains(refusal.of(usher.webhook.qiscus, {}), "token is required")
    contains(refusal.of(usher.webhook.smooch, { secret = "" }), "secret is required")
    contains(refusal.of(usher.webhook.qiscus, { token = "t", secret = "s" }), "'secret'")
    local hook = usher.webhook.qiscus{ token = TOKEN }
    contains(refusal.of(hook.read, hook, nil, ""), "headers")
    contains(refusal.of(hook.read, hook, {}, nil), "body")
  end)

  it("shows no secret in its name", function()
    assert.equal("usher.webhook: qiscus", tostring(usher.webhook.qiscus{ token = TOKEN }))
  end)

  it("compares in constant time: by what was made for it, and nothing else", function()
    local file = assert(io.open("lua/usher/webhook.lua"))
    local source = file:read("*a")
    file:close()
    contains(source, "core.equal(given, provider.proof(self.key, body))")
    local _, comparisons = source:gsub("proof%(", "")
    assert.equal(2, comparisons) -- one to verify, one to sign
  end)
end)
