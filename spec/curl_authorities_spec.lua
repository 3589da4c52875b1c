-- Whom the libcurl transport trusts: a bundle, a hashed directory, or the one that serves for both.
-- Verification is as strict in each of them. Needs the command openssl.

local curl = require "usher.curl"
local files = require "spec.support.files"
local provider = require "spec.support.provider"
local transfers = require "spec.support.transfers"

local function run(command, ...)
  local words = { command }
  for _, word in ipairs{ ... } do words[#words + 1] = ("'%s'"):format(word) end
  local pipe = assert(io.popen(table.concat(words, " ")))
  local output = pipe:read("*a")
  pipe:close()
  return (output:gsub("\n$", ""))
end

describe("the authorities of usher.curl", function()
  local server, directory, pool, hash, authority, another

  setup(function()
    server = provider.start()
    hash = run("openssl x509 -noout -hash -in", server.files.ca_file)
    authority = files.read(server.files.ca_file)
    another = files.read(server.files.client_cert)
  end)
  teardown(function() server:stop() end)

  before_each(function()
    server:clear()
    directory = run("mktemp -d")
  end)

  after_each(function()
    pool:close()
    run("rm -r", directory)
  end)

  local function write(name, text)
    local path = directory .. "/" .. name
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    return path
  end

  local function hash_of(text)
    return run("openssl x509 -noout -hash -in", write("certificate.pem", text))
  end

  local function call(settings, url, extra)
    pool = curl.new(settings)
    local request = { method = "GET", url = url, timeout = 10, connect_timeout = 5 }
    for name, value in pairs(extra or {}) do request[name] = value end
    return transfers.finish(pool, pool:start(request))
  end

  -- A bundle as large as the directory, which trusts nobody: who is trusted shows which of them
  -- was read.
  local function empty_bundle(size)
    return write("bundle.pem", ("\n"):rep(size))
  end

  local MODES = {
    { "a bundle", function() return { ca_file = server.files.ca_file } end },
    { "a directory", function() return { ca_path = directory } end },
    { "a directory beside a bundle of the same", function()
      return { ca_path = directory, ca_file = server.files.ca_file }
    end },
    { "a directory in place of a bundle", function()
      return { ca_path = directory, ca_file = empty_bundle(#authority) }
    end },
    { "a bundle in place of a directory", function()
      write(hash .. ".0", another)
      return { ca_path = directory, ca_file = server.files.ca_file }
    end },
  }

  for _, mode in ipairs(MODES) do
    describe("are " .. mode[1] .. " that", function()
      local settings

      before_each(function()
        write(hash .. ".0", authority)
        settings = mode[2]()
      end)

      it("takes a good certificate as good", function()
        assert.equal(200, (call(settings, server:url("https"))))
      end)

      for _, listener in ipairs{
        "unknown_ca", "self_signed", "expired", "not_yet", "wrong_host", "wrong_wildcard",
        "no_authority",
      } do
        it("takes " .. listener .. " as tls, before anything is sent", function()
          for _, extra in ipairs{ {}, { method = "POST", body = "{}" }, { idempotent = true } } do
            local status, kind, _, sent = call(settings, server:url(listener), extra)
            pool:close()
            assert.same({ "tls", false }, { kind, sent })
            assert.is_nil(status)
          end
          assert.same({}, server:journal())
        end)
      end
    end)
  end

  -- So many that what is wrong beside them is hardly ever listed first.
  local function write_many()
    for i = 0, 19 do write(("%s.%d"):format(hash, i), authority) end
    return 20 * #authority
  end

  -- With these the bundle has to serve, and it trusts nobody that a server here can show.
  local REFUSED = {
    ["lacks a certificate of the bundle"] = function()
      write(hash .. ".0", authority)
      return empty_bundle(#authority + #another)
    end,
    ["holds one more than the bundle"] = function()
      write(hash .. ".0", authority)
      write(hash_of(another) .. ".0", another)
      return empty_bundle(#authority)
    end,
    ["has a certificate that cannot be read"] = function()
      local size = write_many()
      run("ln -s", directory .. "/nowhere", directory .. "/01234567.0")
      return empty_bundle(size - 1)
    end,
    ["has a directory where a certificate should be"] = function()
      local size = write_many()
      run("mkdir", directory .. "/01234567.0")
      local listed = run("ls -ld", directory .. "/01234567.0")
      return empty_bundle(size + tonumber(listed:match("^%S+ +%S+ +%S+ +%S+ +(%d+)")))
    end,
  }

  for what, prepare in pairs(REFUSED) do
    it("are not a directory that " .. what, function()
      local bundle = prepare()
      local status, kind = call({ ca_path = directory, ca_file = bundle }, server:url("https"))
      assert.is_nil(status)
      assert.equal("tls", kind)
    end)
  end

  -- With these OpenSSL would not find the authority in the directory.
  for what, name in pairs{
    ["hashed otherwise"] = "01234567.0", ["not hashed"] = "authority.pem",
    ["one whose names only look hashed"] = "01234567.r0",
  } do
    it("are the bundle beside a directory that is " .. what, function()
      write(name, authority)
      local settings = { ca_path = directory, ca_file = server.files.ca_file }
      assert.equal(200, (call(settings, server:url("https"))))
    end)
  end

  it("are the bundle beside a directory that is not there", function()
    local settings = { ca_path = directory .. "/nowhere", ca_file = server.files.ca_file }
    assert.equal(200, (call(settings, server:url("https"))))
  end)

  it("are the directory beside a bundle that is not there", function()
    write(hash .. ".0", authority)
    local settings = { ca_path = directory, ca_file = directory .. "/nowhere.pem" }
    assert.equal(200, (call(settings, server:url("https"))))
  end)

  it("are the system's by default, and those trust nobody here", function()
    local status, kind = call({}, server:url("https"))
    assert.is_nil(status)
    assert.equal("tls", kind)
  end)
end)
