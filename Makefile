# usher: build, set-up and checks. `make help` lists the targets.
#
# build/5.4 and build/5.1 hold usher/core.so (needs libcrypto only) and usher/curl.so (the only one
# that needs libcurl). The 5.1 objects serve Lua 5.1 and LuaJIT. Whatever stands in src/ is built.

.DEFAULT_GOAL := all

# --- what may be set from outside --------------------------------------------------------------

CFLAGS ?= -O2 -g
GCC ?= gcc
CLANG ?= clang
CLANG_FORMAT ?= clang-format-14
CPPCHECK ?= cppcheck
LUAROCKS ?= luarocks
BUSTED_FLAGS ?=
export CC GCC CLANG CLANG_FORMAT CPPCHECK LUAROCKS BUSTED_FLAGS

# Homebrew keeps these where neither pkg-config nor the shell looks by itself.
ifeq ($(shell uname -s),Darwin)
  kegs := $(foreach keg,lua@5.4 openssl@3 curl,$(shell brew --prefix $(keg) 2>/dev/null))
  space := $(subst ,, )
  export PKG_CONFIG_PATH := $(subst $(space),:,$(kegs:%=%/lib/pkgconfig)):$(PKG_CONFIG_PATH)
  export PATH := $(subst $(space),:,$(kegs:%=%/bin)):$(PATH)
  SHARED := -bundle -undefined dynamic_lookup
  WHOLE_FLAGS := -flto
else
  # A module unloaded under the atexit handlers of libcurl and OpenSSL would crash at exit.
  SHARED := -shared -Wl,-z,nodelete,-z,relro,-z,now
  WHOLE_FLAGS := -flto=auto -fno-plt
endif

# A module that is optimised as a whole takes 4 % less time for a small call. Without these flags
# where the compiler or the linker lacks them; asked once, by whoever builds a module.
works = $(shell mkdir -p build && echo 'int usher;' | $(CC) $(1) -Werror -fPIC $(SHARED) -x c - \
  -o build/works.so 2>/dev/null && echo '$(1)')
WHOLE = $(eval WHOLE := $$(call works,$(WHOLE_FLAGS)))$(WHOLE)

# $(call pc,FLAGS,NAMES): what pkg-config says of the first name that it knows.
pc = $(shell for name in $(2); do pkg-config $(1) $$name 2>/dev/null && break; done)

# LUA54_INC and LUA51_INC are directories; without them pkg-config is asked.
headers = $(or $(addprefix -I,$(1)),$(call pc,--cflags-only-I --keep-system-cflags,$(2)))
LUA54_CFLAGS ?= $(call headers,$(LUA54_INC),lua5.4 lua-5.4 lua54)
LUA51_CFLAGS ?= $(call headers,$(LUA51_INC),lua5.1 lua-5.1 lua51 luajit)
CRYPTO_CFLAGS ?= $(call pc,--cflags,libcrypto)
CRYPTO_LIBS ?= $(or $(call pc,--libs,libcrypto),-lcrypto)
CURL_CFLAGS ?= $(call pc,--cflags,libcurl) $(call pc,--cflags,openssl)
CURL_LIBS ?= $(or $(call pc,--libs,libcurl),-lcurl) $(or $(call pc,--libs,openssl),-lssl -lcrypto)
LUA54_LIBS ?= $(call pc,--libs,lua5.4 lua-5.4 lua54)

LUA54 ?= $(or $(shell for name in lua5.4 lua-5.4 lua54 lua; do \
  $$name -e 'assert(_VERSION == "Lua 5.4")' 2>/dev/null && echo $$name && break; done),lua5.4)
LUAJIT ?= luajit
export LUA54 LUAJIT

# Asked once, not once a file.
LUA54_CFLAGS := $(LUA54_CFLAGS)
LUA51_CFLAGS := $(LUA51_CFLAGS)
CRYPTO_CFLAGS := $(CRYPTO_CFLAGS)
CRYPTO_LIBS := $(CRYPTO_LIBS)
CURL_CFLAGS := $(CURL_CFLAGS)
CURL_LIBS := $(CURL_LIBS)
LUA54_LIBS := $(LUA54_LIBS)

# --- the environment of everything that is run -------------------------------------------------
# Lua 5.4 reads the names with the suffix first, so both interpreters find their own build, also
# when one of them starts the other.

ifndef USHER_ENVIRONMENT
  export USHER_ENVIRONMENT := 1
  sources_path := ./lua/?.lua;./lua/?/init.lua;./?.lua
  rocks_path = ./.rocks/share/lua/$(1)/?.lua;./.rocks/share/lua/$(1)/?/init.lua
  export LUA_PATH_5_4 := $(sources_path);$(call rocks_path,5.4);$(or $(LUA_PATH_5_4),$(LUA_PATH),;)
  export LUA_CPATH_5_4 := ./build/5.4/?.so;./.rocks/lib/lua/5.4/?.so;$(or \
    $(LUA_CPATH_5_4),$(LUA_CPATH),;)
  export LUA_PATH := $(sources_path);$(call rocks_path,5.1);$(or $(LUA_PATH),;)
  export LUA_CPATH := ./build/5.1/?.so;./.rocks/lib/lua/5.1/?.so;$(or $(LUA_CPATH),;)
  unexport LUA_INIT LUA_INIT_5_4
endif

# V=1 shows the commands, -s not even their short form.
Q := $(if $(V),,@)
say := @$(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),:,echo)

# What follows set-up is built on all processors, unless -j already says how many.
parallel = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN))

# --- the build ---------------------------------------------------------------------------------

override CPPFLAGS += -D_POSIX_C_SOURCE=200809L -Isrc -MMD -MP
override CFLAGS += -std=c99 -fPIC -fvisibility=hidden -Wall -Wextra -Wpedantic -Wshadow \
  -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror=implicit-function-declaration

PURE_SOURCES := $(wildcard src/core/*.c src/providers/*.c)
BINDING_SOURCES := $(wildcard src/lua/*.c)
CURL_SOURCES := $(wildcard src/curl/*.c)
C_TESTS := $(patsubst spec/core/%.c,%,$(wildcard spec/core/*.c))

objects = $(patsubst src/%.c,build/$(1)/obj/%.o,$(2))

# What a test in C reads of the data of the specs.
$(foreach directory,plain asan coverage,build/$(directory)/spec/json_vectors_test): build/json_vectors

build/json_vectors: spec/vectors/json.lua spec/support/json_vectors.lua
	@mkdir -p $(@D)
	@$(LUA54) spec/support/json_vectors.lua >$@.new && mv $@.new $@

# The core and the providers know no Lua: compiled once, without its headers, and linked into the
# module of each version. $(1): build directory, $(2): more flags.
define pure_objects
build/$(1)/obj/%.o: src/%.c Makefile
	@mkdir -p $$(@D)
	$$(say) "cc $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CRYPTO_CFLAGS) $$(CFLAGS) $(2) -c $$< -o $$@

build/$(1)/obj/providers/registry.o: src/providers/list.h

build/$(1)/spec/%: spec/core/%.c $(call objects,$(1),$(PURE_SOURCES)) Makefile
	@mkdir -p $$(@D)
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CRYPTO_CFLAGS) $$(CFLAGS) $(2) $$(LDFLAGS) -MT $$@ -MF $$@.d \
	  $$(filter %.c %.o,$$^) -o $$@ $$(CRYPTO_LIBS) -lm
endef

# $(1): build directory, $(2): that of the pure objects, $(3): Lua's headers, $(4): more flags.
define modules
build/$(1)/obj/lua/%.o: src/lua/%.c Makefile
	@mkdir -p $$(@D)
	$$(say) "cc $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $(3) $$(CRYPTO_CFLAGS) $$(CFLAGS) $(4) -c $$< -o $$@

build/$(1)/obj/curl/%.o: src/curl/%.c Makefile
	@mkdir -p $$(@D)
	$$(say) "cc $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $(3) $$(CURL_CFLAGS) $$(CFLAGS) $(4) -c $$< -o $$@

build/$(1)/spec/clearing.so: spec/support/clearing.c Makefile
	@mkdir -p $$(@D)
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $(3) $$(CFLAGS) $(4) $$(SHARED) $$(LDFLAGS) $$< -o $$@

build/$(1)/spec/timing/early_exit.so: spec/timing/early_exit.c Makefile
	@mkdir -p $$(@D)
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $(3) $$(CFLAGS) $(4) $$(SHARED) $$(LDFLAGS) $$< -o $$@

build/$(1)/spec/lifetime/host.so: spec/lifetime/host.c Makefile
	@mkdir -p $$(@D)
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $(3) $$(CFLAGS) $(4) -pthread $$(SHARED) $$(LDFLAGS) $$< -o $$@

build/$(1)/usher/core.so: $(call objects,$(2),$(PURE_SOURCES)) \
    $(call objects,$(1),$(BINDING_SOURCES)) build/sources
	@mkdir -p $$(@D)
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CFLAGS) $(4) $$(SHARED) $$(LDFLAGS) $$(filter %.o,$$^) -o $$@ $$(CRYPTO_LIBS) -lm

build/$(1)/usher/curl.so: $(call objects,$(1),$(CURL_SOURCES)) build/sources
	@mkdir -p $$(@D)
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CFLAGS) $(4) $$(SHARED) $$(LDFLAGS) $$(filter %.o,$$^) -o $$@ $$(CURL_LIBS)
endef

# A clone may make rocks for more than one Lua.
ROCK := rock$(subst /,-,$(LUA_INCDIR))

# What -fsanitize=undefined of gcc leaves out.
CASTS := float-cast-overflow,float-divide-by-zero
SANITIZE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,$(CASTS) \
  -fno-sanitize-recover=undefined,$(CASTS)
COUNT := -O0 --coverage -fprofile-update=atomic
WATCH := -O1 -fno-omit-frame-pointer -fsanitize=thread

$(eval $(call pure_objects,plain,))
$(eval $(call pure_objects,whole,$$(WHOLE)))
$(eval $(call pure_objects,$(ROCK)-pure,$$(WHOLE)))
$(eval $(call pure_objects,asan,$(SANITIZE)))
$(eval $(call pure_objects,coverage,$(COUNT)))
$(eval $(call pure_objects,tsan,$(WATCH)))
$(eval $(call modules,5.4,whole,$(LUA54_CFLAGS),$$(WHOLE)))
$(eval $(call modules,5.1,whole,$(LUA51_CFLAGS),$$(WHOLE)))
$(eval $(call modules,$(ROCK),$(ROCK)-pure,-I$(LUA_INCDIR),$$(WHOLE)))
$(eval $(call modules,asan-5.4,asan,$(LUA54_CFLAGS),$(SANITIZE)))
$(eval $(call modules,asan-5.1,asan,$(LUA51_CFLAGS),$(SANITIZE)))
$(eval $(call modules,coverage-5.4,coverage,$(LUA54_CFLAGS),$(COUNT)))
$(eval $(call modules,coverage-5.1,coverage,$(LUA51_CFLAGS),$(COUNT)))
$(eval $(call modules,tsan-5.4,tsan,$(LUA54_CFLAGS),$(WATCH)))
$(eval $(call modules,tsan-5.1,tsan,$(LUA51_CFLAGS),$(WATCH)))
$(eval $(call modules,apicheck-5.4,plain,$(LUA54_CFLAGS),$$(WRAPS)))

# Interpreters whose allocations fail, see spec/memory. $(1): which, $(2): its headers, $(3): its
# libraries, $(4): more flags.
define alloc_host
build/torture/alloc_host-$(1): spec/memory/alloc_host.c spec/memory/failing_malloc.h Makefile
	@mkdir -p $$(@D)
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $(2) $$(CRYPTO_CFLAGS) $$(CFLAGS) $(4) $$(LDFLAGS) -rdynamic $$< \
	  -o $$@ $(3) $$(CRYPTO_LIBS) -ldl -lm
endef

$(eval $(call alloc_host,5.4,$(LUA54_CFLAGS),$$(call pc,--libs,lua5.4 lua-5.4 lua54),))
$(eval $(call alloc_host,luajit,$$(call headers,,luajit),$$(call pc,--libs,luajit),))
$(eval $(call alloc_host,asan-5.4,$(LUA54_CFLAGS),$$(call pc,--libs,lua5.4 lua-5.4 lua54),$(SANITIZE)))

build/torture/failing_malloc.so: spec/memory/failing_malloc.c spec/memory/failing_malloc.h Makefile
	@mkdir -p $(@D)
	$(say) "ld $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -O1 -fno-builtin -fno-omit-frame-pointer -shared $< -o $@ \
	  -ldl -lpthread

# A fuzz target is spec/fuzz/<target>_fuzz.c. libFuzzer drives it to search (make fuzz), replay.c to
# run it over the seeds and what was found before (make test). $(1): build directory of the pure
# objects, $(2): more flags, $(3): what drives it. Of the archive each takes what it calls. Only
# the sources count as covered: the targets would lead the search to themselves.
FUZZ_TARGETS ?= $(patsubst spec/fuzz/%_fuzz.c,%,$(wildcard spec/fuzz/*_fuzz.c))
FUZZ_SUPPORT := $(filter-out %_fuzz.c %/replay.c,$(wildcard spec/fuzz/*.c))
SEARCH := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

define fuzz_programs
build/$(1)/fuzz/%.o: spec/fuzz/%.c Makefile
	@mkdir -p $$(@D)
	$$(say) "cc $$@"
	$$(Q)$$(CC) $$(CPPFLAGS) $$(LUA54_CFLAGS) $$(CURL_CFLAGS) $$(CFLAGS) $(2) -c $$< -o $$@

build/$(1)/fuzz/all.a: $(FUZZ_SUPPORT:spec/%.c=build/$(1)/%.o) $(call objects,$(1),$(PURE_SOURCES)) \
    $(call objects,$(1)-5.4,$(BINDING_SOURCES) $(CURL_SOURCES)) build/sources
	$$(say) "ar $$@"
	$$(Q)rm -f $$@ && $$(AR) -rcs $$@ $$(filter %.o,$$^)

build/$(1)/fuzz/%: build/$(1)/fuzz/%_fuzz.o $(filter %.o,$(3)) build/$(1)/fuzz/all.a
	$$(say) "ld $$@"
	$$(Q)$$(CC) $$(CFLAGS) $(2) $(filter -%,$(3)) $$(LDFLAGS) $$^ -o $$@ \
	  $$(CURL_LIBS) $$(LUA54_LIBS) $$(CRYPTO_LIBS) -lm
endef

build/search/% build/search-5.4/%: CC := $(CLANG)
$(eval $(call pure_objects,search,$(SEARCH) -fsanitize=fuzzer-no-link))
$(eval $(call modules,search-5.4,search,$(LUA54_CFLAGS),$(SEARCH) -fsanitize=fuzzer-no-link))
$(eval $(call fuzz_programs,search,$(SEARCH),-fsanitize=fuzzer))
$(eval $(call fuzz_programs,asan,$(SANITIZE),build/asan/fuzz/replay.o))

# Changes when a source file comes or goes, so that what it was linked into is linked again.
build/sources: FORCE
	@mkdir -p $(@D)
	@echo $(PURE_SOURCES) $(BINDING_SOURCES) $(CURL_SOURCES) | cmp -s - $@ || \
	  echo $(PURE_SOURCES) $(BINDING_SOURCES) $(CURL_SOURCES) >$@

# The providers, a line each, for registry.c. Kept with the sources: LuaRocks builds without make.
PROVIDERS := $(sort $(filter-out registry,$(notdir $(basename $(wildcard src/providers/*.c)))))

src/providers/list.h: FORCE
	@mkdir -p build
	@{ echo '/* The providers of this directory: written by make. */'; \
	  printf 'PROVIDER(%s)\n' $(PROVIDERS); } >build/list.h
	@cmp -s build/list.h $@ || cp build/list.h $@

-include $(wildcard build/*/obj/*/*.d build/*/spec/*.d build/*/fuzz/*.d)
.SECONDARY:
.PHONY: FORCE
FORCE:

module = build/$(1)/usher/core.so build/$(1)/usher/curl.so
VERSIONS := $(if $(LUA54_CFLAGS),5.4) $(if $(LUA51_CFLAGS),5.1)

.PHONY: all
all: $(foreach version,$(VERSIONS),$(call module,$(version))) ## build both modules for each Lua whose headers are there
ifeq ($(strip $(VERSIONS)),)
	@echo "No Lua headers found: 'make setup' installs them, LUA54_INC=DIR names them." >&2
	@false
endif

# --- set-up and running ------------------------------------------------------------------------
# Set-up may install what this Makefile asks for at its start (pkg-config, headers), so what
# follows it runs in a make of its own.

.PHONY: setup demo test lint format core-check
setup: ## install what development needs and is missing
	@.ci/install demo test lint

demo: ## set up, build, and watch the examples work against the sandbox
	@.ci/install demo
	@$(MAKE) --no-print-directory -s $(parallel) all
	@$(LUA54) examples/demo.lua

test: ## set up, build, and run every test on Lua 5.4 and LuaJIT
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) all c-tests fuzz-replays torture-hosts
	@.ci/test c fuzz lua5.4 luajit nginx torture

lint: ## format, warnings of gcc and clang, their analyzers, cppcheck, luacheck, layers
	@.ci/install lint
	@$(MAKE) --no-print-directory -s $(parallel) lint-installed

format: ## let clang-format 14 write the C files
	$(CLANG_FORMAT) -i $(C_FILES)

# --- checks ------------------------------------------------------------------------------------

C_FILES := $(wildcard src/*/*.[ch] spec/*/*.[ch])

# For their scripts only: a make started after set-up is to ask pkg-config itself.
asked := LUA54_CFLAGS LUA51_CFLAGS CRYPTO_CFLAGS CURL_CFLAGS
found := C_FILES PURE_SOURCES BINDING_SOURCES CURL_SOURCES
$(foreach name,$(asked) $(found),$(eval \
  lint-installed core-check analyze-installed controls-installed: export $(name) := $($(name))))

.PHONY: c-tests lint-installed analyze analyze-installed controls controls-installed
c-tests: $(C_TESTS:%=build/plain/spec/%)
fuzz-replays: $(FUZZ_TARGETS:%=build/asan/fuzz/%)

lint-installed:
	@.ci/lint

analyze: ## the analyzers of lint with more patience, and for Lua 5.1 (minutes)
	@.ci/install lint
	@$(MAKE) --no-print-directory -s analyze-installed

analyze-installed:
	@.ci/analyze gcc tidy levels deep style
	@LUA_FLAGS="$(LUA51_CFLAGS)" .ci/analyze gcc tidy

controls: ## plant a bug of each kind in a copy, and see its detector fire (minutes)
	@.ci/install memory lint
	@$(MAKE) --no-print-directory -s controls-installed

controls-installed:
	@.ci/controls $(CONTROLS)

core-check: $(call objects,plain,$(PURE_SOURCES)) ## prove that the core knows neither Lua nor curl nor sockets
	@.ci/core-check $^

# Preloaded for the memory checks: leak reports name their frames only while the libraries are
# still loaded, and what the specs start (sh, cp, openssl) may leak as it likes.
PRELOAD := build/preload.so

$(PRELOAD):
	@mkdir -p $(@D)
	@printf '%s\n' 'int dlclose(void *handle) { (void)handle; return 0; }' \
	  'int setenv(const char *, const char *, int);' \
	  'static void __attribute__((constructor)) start(void) {' \
	  '  setenv("ASAN_OPTIONS", "detect_leaks=0", 1); }' | $(CC) -shared -fPIC -x c - -o $@

.PHONY: bench bench-built bench-readme bench-nginx
bench: ## measure usher beside C and its peers: ROUNDS=7 QUICK=1 WORKLOADS=... (spec/bench/README.md)
	@.ci/install test
	@.ci/install bench || echo "bench: goes on with the peers that are there" >&2
	@$(MAKE) --no-print-directory -s $(parallel) all $(BENCH_PROGRAMS)
	@$(MAKE) --no-print-directory -s bench-built

bench-built:
	@$(LUA54) spec/bench/main.lua

bench-nginx: ## measure an nginx worker whose handlers call through usher (needs wrk)
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) all
	@$(LUAJIT) spec/nginx/bench.lua 8

bench-readme: ## put the last results of make bench into spec/bench/README.md
	@sed '/^## Results/q' spec/bench/README.md >build/bench/README.md
	@{ echo; cat build/bench/results.md; } >>build/bench/README.md
	@cp build/bench/README.md build/bench/results.svg spec/bench/

BENCH_PROGRAMS := $(patsubst spec/%.c,build/%,$(wildcard spec/bench/*.c))

build/bench/%: spec/bench/%.c Makefile
	@mkdir -p $(@D)
	$(say) "ld $@"
	$(Q)$(CC) $(CPPFLAGS) $(CURL_CFLAGS) $(CFLAGS) -MT $@ -MF $@.d $(LDFLAGS) $< -o $@ $(CURL_LIBS)

.PHONY: fuzz fuzz-replays fuzz-searches
fuzz: ## search for bytes that break a promise: FUZZ_SECONDS=300 for each of FUZZ_TARGETS, FUZZ_JOBS=2
	@.ci/install test fuzz
	@$(MAKE) --no-print-directory -s $(parallel) all fuzz-searches
	@LUA54="$(LUA54)" FUZZ_SECONDS="$(FUZZ_SECONDS)" FUZZ_JOBS="$(FUZZ_JOBS)" \
	  spec/fuzz/run $(FUZZ_TARGETS)

fuzz-searches: $(FUZZ_TARGETS:%=build/search/fuzz/%)

.PHONY: endurance endurance-built
endurance: ## imports and plans killed at any moment, their memory, the ledger's cost (half an hour) PARTS=kills
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) all
	@$(MAKE) --no-print-directory -s endurance-built

endurance-built:
	@LUA54="$(LUA54)" LUAJIT="$(LUAJIT)" spec/endurance/run $(PARTS)

.PHONY: soak soak-built
soak: ## a million calls with faults on each interpreter: memory and descriptors flat? CALLS=1000000
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) all
	@$(MAKE) --no-print-directory -s soak-built

soak-built:
	@LUA54="$(LUA54)" LUAJIT="$(LUAJIT)" CURL_LIBS="$(CURL_LIBS)" spec/soak/run

.PHONY: timing timing-built
timing: ## does the time of a webhook's refusal tell how much of its signature was right? TRIES=100000
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) all
	@$(MAKE) --no-print-directory -s timing-built

timing-built: build/5.4/spec/timing/early_exit.so build/5.1/spec/timing/early_exit.so
	@$(LUA54) spec/timing/verify.lua build/5.4/spec/timing $(TRIES)
	@$(LUAJIT) spec/timing/verify.lua build/5.1/spec/timing $(TRIES)

.PHONY: memcheck memcheck-built asan asan-built apicheck apicheck-built coverage coverage-built \
  rock docs types clean help
memcheck: ## the specs under valgrind
	@.ci/install memory
	@$(MAKE) --no-print-directory -s $(parallel) memcheck-built

memcheck-built: all $(PRELOAD)
	@UNDER="env LD_PRELOAD=$(CURDIR)/$(PRELOAD) valgrind -q --leak-check=full \
	  --errors-for-leak-kinds=definite --error-exitcode=99 --num-callers=30 \
	  $(patsubst %,--suppressions=%,$(wildcard spec/memory/valgrind*.supp))" \
	  BUSTED_FLAGS="--exclude-tags=build $(BUSTED_FLAGS)" TEST_TIMEOUT=3600 \
	  .ci/test $(or $(SUITES),lua5.4 luajit)

asan: ## the C tests and the specs with ASan and UBSan
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) asan-built

asan-built: all $(call module,asan-5.4) $(call module,asan-5.1) $(C_TESTS:%=build/asan/spec/%) $(PRELOAD)
	@export ASAN_OPTIONS=detect_leaks=1:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1 \
	  LSAN_OPTIONS=print_suppressions=0$(patsubst \
	  %,:suppressions=$(CURDIR)/%,$(wildcard spec/memory/lsan.supp)); \
	  UNDER="env LD_PRELOAD=$$($(CC) -print-file-name=libasan.so):$(CURDIR)/$(PRELOAD)" \
	  LUA_CPATH_5_4="./build/asan-5.4/?.so;$$LUA_CPATH_5_4" \
	  LUA_CPATH="./build/asan-5.1/?.so;$$LUA_CPATH" C_TESTS=build/asan/spec \
	  BUSTED_FLAGS="--exclude-tags=build $(BUSTED_FLAGS)" .ci/test $(or $(SUITES),c lua5.4 luajit)

.PHONY: torture torture-built torture-asan torture-asan-built torture-hosts
torture: ## every allocation failed in its turn, on Lua 5.4 and LuaJIT (TORTURE=all: over TLS, too)
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) all torture-hosts
	@$(MAKE) --no-print-directory -s torture-built

torture-built:
	@SERVER_LIFETIME=86400 $(LUA54) spec/memory/run.lua $(or $(TORTURE),deep) build/torture \
	  '$(SCENARIO)'

torture-asan: ## some of them, on Lua 5.4 with ASan, UBSan and LeakSanitizer
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) torture-asan-built

torture-asan-built: all $(call module,asan-5.4) torture-hosts build/torture/alloc_host-asan-5.4
	@export ASAN_OPTIONS=detect_leaks=1:exitcode=99:verify_asan_link_order=0 \
	  UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=print_suppressions=0; \
	  LUA_CPATH_5_4="./build/asan-5.4/?.so;$$LUA_CPATH_5_4" HOSTS=asan-5.4 \
	  $(LUA54) spec/memory/run.lua $(or $(TORTURE),shallow) build/torture '$(SCENARIO)'

torture-hosts: $(if $(filter Linux,$(shell uname -s)),build/torture/failing_malloc.so \
  build/torture/alloc_host-5.4 build/torture/alloc_host-luajit)

.PHONY: tsan tsan-built
tsan: ## threads of Lua states on Lua 5.4 and LuaJIT, watched for data races
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) tsan-built

tsan-built: all $(call module,tsan-5.4) $(call module,tsan-5.1) $(PRELOAD)
	@UNDER="env LD_PRELOAD=$$($(CC) -print-file-name=libtsan.so):$(CURDIR)/$(PRELOAD) \
	  TSAN_OPTIONS=exitcode=66:history_size=7" \
	  LUA_CPATH_5_4="./build/tsan-5.4/?.so;$$LUA_CPATH_5_4" \
	  LUA_CPATH="./build/tsan-5.1/?.so;$$LUA_CPATH" \
	  SPECS=spec/lifetime/states_spec.lua .ci/test lua5.4 luajit

apicheck: ## the specs on Lua 5.4, each push onto the stack checked against what Lua promised
	@.ci/install test
	@$(MAKE) --no-print-directory -s $(parallel) apicheck-built

# The calls that go through it.
API_CHECK := spec/controls/api_check.c
WRAPS = $(shell sed -n 's/^WRAP.*\(luaL\{0,1\}_[a-z]*\), .lua_State.*/-Wl,--wrap=\1/p' \
  $(API_CHECK)) -Wl,--wrap=lua_pushfstring

build/apicheck-5.4/api_check.o: $(API_CHECK) Makefile
	@mkdir -p $(@D)
	$(say) "cc $@"
	$(Q)$(CC) $(CPPFLAGS) $(LUA54_CFLAGS) $(CFLAGS) -c $< -o $@

$(call module,apicheck-5.4): build/apicheck-5.4/api_check.o

apicheck-built: all $(call module,apicheck-5.4)
	@LUA_CPATH_5_4="./build/apicheck-5.4/?.so;$$LUA_CPATH_5_4" \
	  BUSTED_FLAGS="--exclude-tags=build $(BUSTED_FLAGS)" .ci/test lua5.4

coverage: ## lines and branches of src/ that the tests reach; fails under 95 % of the lines
	@.ci/install coverage
	@$(MAKE) --no-print-directory -s $(parallel) coverage-built

coverage-built: all $(call module,coverage-5.4) $(call module,coverage-5.1) \
    $(C_TESTS:%=build/coverage/spec/%)
	@BUSTED_FLAGS="--exclude-tags=build $(BUSTED_FLAGS)" .ci/coverage 95

docs: all ## write the reference and the guides as a site, docs/index.html; and README's table
	@$(LUA54) .ci/docs.lua docs
	@$(LUA54) spec/support/readme_table.lua README.md

types: all ## write the types for editors from the rows
	@$(LUA54) .ci/types.lua >build/types.lua
	@mv build/types.lua lua/usher/types.lua

# What the rockspec asks for, with the directories that LuaRocks names.
.PHONY: modules install
modules: ## both modules, for the Lua whose headers are in LUA_INCDIR
	@test -n "$(LUA_INCDIR)" || { echo "LUA_INCDIR says where lua.h is" >&2; false; }
	@$(MAKE) --no-print-directory $(parallel) $(call module,$(ROCK))

install: ## what `make modules` built, and the Lua files: into LIBDIR and LUADIR
	@test -n "$(LUADIR)" && test -n "$(LIBDIR)" || \
	  { echo "LUADIR and LIBDIR say where to; luarocks make sets them" >&2; false; }
	mkdir -p "$(LUADIR)" "$(LIBDIR)/usher"
	cp -R lua/usher lua/usher.lua "$(LUADIR)"
	cp $(call module,$(ROCK)) "$(LIBDIR)/usher"

rock: ## luarocks make for 5.4 and 5.1, into build/tree-5.4 and build/tree-5.1
	@LUA54="$(LUA54)" LUAJIT="$(LUAJIT)" .ci/rock

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 14
