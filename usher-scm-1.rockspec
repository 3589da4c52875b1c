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

-- By our Makefile: who installs it gets what was tested. LuaRocks' own way has no flag for the
-- linker, and one for the compiler only with the user's.
build = {
  type = "make",
  build_target = "modules",
  variables = { LUA_INCDIR = "$(LUA_INCDIR)" },
  build_variables = {
    CFLAGS = "$(CFLAGS)",
    CRYPTO_CFLAGS = "-I$(CRYPTO_INCDIR)",
    CRYPTO_LIBS = "-L$(CRYPTO_LIBDIR) -lcrypto",
    CURL_CFLAGS = "-I$(CURL_INCDIR) -I$(SSL_INCDIR) -I$(CRYPTO_INCDIR)",
    CURL_LIBS = "-L$(CURL_LIBDIR) -L$(SSL_LIBDIR) -L$(CRYPTO_LIBDIR) -lcurl -lssl -lcrypto",
  },
  install_variables = { LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)" },
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
