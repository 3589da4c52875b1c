#!/bin/sh
# Starts the sandbox and the gateway of nginx.conf, and stays until it is told to stop:
#
#   examples/nginx/run.sh [port]          (8080)
#
# With USHER_VCHATCLOUD_API_KEY (and USHER_VCHATCLOUD_BASE_URL) in the environment the gateway works
# on that account, and there is no sandbox. Everything nginx writes goes to a directory that is
# removed in the end.
set -eu

port=${1:-8080}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
nginx=$(PATH=$PATH:/usr/sbin command -v nginx || command -v openresty) || {
  echo "nginx with its Lua module is needed: apt install nginx libnginx-mod-http-lua" >&2
  exit 1
}
prefix=$(mktemp -d)
sandbox_pid='' nginx_pid=''

stop() {
  trap - EXIT INT TERM HUP
  for pid in $nginx_pid $sandbox_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$prefix"
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

# Waits until a file is there, or the process that is to write it is not.
await() {
  while ! [ -s "$1" ]; do
    kill -0 "$2" 2>/dev/null || exit 1
    sleep 0.05
  done
}

if [ -z "${USHER_VCHATCLOUD_API_KEY:-}" ]; then
  (cd "$root" && exec "${LUAJIT:-luajit}" lua/bin/usher sandbox --env \
    --port-file "$prefix/sandbox.port") >"$prefix/sandbox.env" &
  sandbox_pid=$!
  await "$prefix/sandbox.port" $sandbox_pid
  . "$prefix/sandbox.env"
  echo "sandbox on http://127.0.0.1:$(cat "$prefix/sandbox.port")"
fi

# The configuration finds this tree below its prefix.
ln -s "$root/lua" "$prefix/lua"
ln -s "$root/build" "$prefix/build"
ln -s "$here" "$prefix/handlers"
sed "s/127\.0\.0\.1:8080/127.0.0.1:$port/" "$here/nginx.conf" >"$prefix/nginx.conf"

# Debian's module is loaded at run time. Workers of root would be nobody, who may not read this.
directives=
for module in ndk_http_module ngx_http_lua_module; do
  for directory in /usr/lib/nginx/modules /usr/lib64/nginx/modules; do
    [ -e "$directory/$module.so" ] && directives="$directives load_module $directory/$module.so;"
  done
done
[ "$(id -u)" = 0 ] && directives="$directives user root;"

"$nginx" -p "$prefix" -c "$prefix/nginx.conf" -e stderr -g "daemon off;$directives" &
nginx_pid=$!
await "$prefix/nginx.pid" $nginx_pid
echo "gateway on http://127.0.0.1:$port/rooms/room-1/users"
wait $nginx_pid
