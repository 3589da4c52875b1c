rockspec_format = "3.0"
package = "usher"
version = "scm-1"

source = {
  url = "git+https://github.com/usher-lua/usher.git",
}

description = {
  summary = "The user APIs of four chat providers, with a method per endpoint",
  detailed = [[
    A C core exposes the user APIs of eRTC, Smooch, VChatCloud and Qiscus as userdata; a thin Lua
    layer turns them into moderation and onboarding scripts. Runs in plain Lua 5.4, in LuaJIT, and
    inside OpenResty without blocking the worker.]],
  homepage = "https://github.com/usher-lua/usher",
  license = "MIT",
  labels = { "chat", "moderation", "api", "http", "openresty" },
}

dependencies = {
  "lua >= 5.1",
  "lua-cjson",
}

-- No headers here: LuaRocks does not look into Debian's multiarch directories.
external_dependencies = {
  CRYPTO = { library = "crypto" },
  CURL = { library = "curl" },
  SSL = { library = "ssl" },
}

build = {
  type = "builtin",
  modules = {
    ["usher.core"] = {
      sources = {
        "src/core/buffer.c",
        "src/core/call.c",
        "src/core/check.c",
        "src/core/client.c",
        "src/core/error.c",
        "src/core/headers.c",
        "src/core/json_reader.c",
        "src/core/json_scalar.c",
        "src/core/json_writer.c",
        "src/core/jwt.c",
        "src/core/multipart.c",
        "src/core/provider.c",
        "src/core/redact.c",
        "src/core/request.c",
        "src/core/response.c",
        "src/core/retry.c",
        "src/core/sign.c",
        "src/core/url.c",
        "src/providers/ertc.c",
        "src/providers/qiscus.c",
        "src/providers/registry.c",
        "src/providers/smooch.c",
        "src/providers/vchatcloud.c",
        "src/lua/arguments.c",
        "src/lua/call.c",
        "src/lua/client.c",
        "src/lua/command.c",
        "src/lua/decode.c",
        "src/lua/describe.c",
        "src/lua/document.c",
        "src/lua/error.c",
        "src/lua/json.c",
        "src/lua/module.c",
        "src/lua/moment.c",
        "src/lua/options.c",
        "src/lua/process.c",
        "src/lua/reply.c",
        "src/lua/request.c",
      },
      defines = { "_POSIX_C_SOURCE=200809L" },
      incdirs = { "src", "$(CRYPTO_INCDIR)" },
      libraries = { "crypto", "m" },
      libdirs = { "$(CRYPTO_LIBDIR)" },
    },
    ["usher.curl"] = {
      sources = {
        "src/curl/bytes.c",
        "src/curl/clock.c",
        "src/curl/easy.c",
        "src/curl/head.c",
        "src/curl/loop.c",
        "src/curl/module.c",
        "src/curl/module_loop.c",
        "src/curl/module_request.c",
        "src/curl/module_settings.c",
        "src/curl/multi.c",
        "src/curl/options.c",
        "src/curl/outcome.c",
        "src/curl/request.c",
        "src/curl/silence.c",
        "src/curl/sockets.c",
        "src/curl/tls.c",
        "src/curl/wipe.c",
      },
      defines = { "_POSIX_C_SOURCE=200809L" },
      incdirs = { "src", "$(CURL_INCDIR)", "$(SSL_INCDIR)", "$(CRYPTO_INCDIR)" },
      libraries = { "curl", "ssl", "crypto" },
      libdirs = { "$(CURL_LIBDIR)", "$(SSL_LIBDIR)", "$(CRYPTO_LIBDIR)" },
    },
    usher = "lua/usher.lua",
    ["usher.map"] = "lua/usher/map.lua",
    ["usher.rate"] = "lua/usher/rate.lua",
    ["usher.sandbox"] = "lua/usher/sandbox.lua",
    ["usher.sandbox.check"] = "lua/usher/sandbox/check.lua",
    ["usher.sandbox.command"] = "lua/usher/sandbox/command.lua",
    ["usher.sandbox.control"] = "lua/usher/sandbox/control.lua",
    ["usher.sandbox.dates"] = "lua/usher/sandbox/dates.lua",
    ["usher.sandbox.ertc"] = "lua/usher/sandbox/ertc.lua",
    ["usher.sandbox.ertc_auth"] = "lua/usher/sandbox/ertc_auth.lua",
    ["usher.sandbox.faults"] = "lua/usher/sandbox/faults.lua",
    ["usher.sandbox.http"] = "lua/usher/sandbox/http.lua",
    ["usher.sandbox.json"] = "lua/usher/sandbox/json.lua",
    ["usher.sandbox.jwt"] = "lua/usher/sandbox/jwt.lua",
    ["usher.sandbox.multipart"] = "lua/usher/sandbox/multipart.lua",
    ["usher.sandbox.people"] = "lua/usher/sandbox/people.lua",
    ["usher.sandbox.qiscus"] = "lua/usher/sandbox/qiscus.lua",
    ["usher.sandbox.route"] = "lua/usher/sandbox/route.lua",
    ["usher.sandbox.server"] = "lua/usher/sandbox/server.lua",
    ["usher.sandbox.smooch"] = "lua/usher/sandbox/smooch.lua",
    ["usher.sandbox.smooch_auth"] = "lua/usher/sandbox/smooch_auth.lua",
    ["usher.sandbox.smooch_channels"] = "lua/usher/sandbox/smooch_channels.lua",
    ["usher.sandbox.vchatcloud"] = "lua/usher/sandbox/vchatcloud.lua",
    ["usher.scheduler"] = "lua/usher/scheduler.lua",
    ["usher.transport"] = "lua/usher/transport.lua",
    ["usher.transport.curl"] = "lua/usher/transport/curl.lua",
    ["usher.transport.http1"] = "lua/usher/transport/http1.lua",
    ["usher.transport.ngx"] = "lua/usher/transport/ngx.lua",
    ["usher.transport.ngx_settings"] = "lua/usher/transport/ngx_settings.lua",
  },
  install = {
    bin = {
      usher = "lua/bin/usher",
    },
  },
}

test = {
  type = "command",
  command = "make test",
}
