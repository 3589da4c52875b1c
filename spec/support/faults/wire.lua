-- Faults below the content of an answer: connections, time, framing, size, TLS and HTTP/2.

local rows = require "spec.support.faults.rows"

local is, is_own, words = rows.is, rows.is_own, rows.words
local list = rows.new()

local function nothing_due(method) return method.empty_ok and "ok" or "decode" end

list:begin("connection")

-- The end of a connection may cross the next request.
local function maybe_lost(method) return method.idempotent and "ok" or "ok|network" end
local function lost_once(method) return method.idempotent and "ok" or "network" end

local lost_between = { calls = 2, requests = { [true] = 3, [false] = 2 }, sent = true }

list:add{
  { "an answer", "http", "/ok", "ok" },
  { "nobody listens", "refused", "/ok", "network", false },
  { "accepted and closed", "accept_close", "/ok", "network" },
  { "accepted and reset", "accept_reset", "/ok", "network" },
  { "closed after the answer", "http", "/close_after_reply", maybe_lost, nil, { calls = 2 } },
  { "closed between two calls", "http", "/stale_for/close", lost_once, nil, lost_between },
  { "reset between two calls", "http", "/stale_for/reset", lost_once, nil, lost_between },
  { "half closed instead of an answer", "http", "/half_closed", "network", true },
  { "refused before the body has come", "http", "/early_error", "http|network", true },
  { "a body that ends with the connection", "http", "/until_close", "ok", nil, { check = is_own } },
  { "a body cut by the end of the connection", "http", "/until_cut", "decode|network", true },
  -- nginx says of TLS that it was closed, which is an end.
  { "reset in a body without a length", "http", "/until_reset", "network", true,
    { nginx = "network|decode" } },
}
list:each("", "network", true, [[close_before_reply reset_before_reply close_in_status
  close_in_head close_after_interim reset_in_head truncated reset_in_body truncated_chunks
  reset_in_chunks close_in_chunk_size close_in_trailers]])

list:begin("time")

list:add{
  { "an answer in time", "http", "/delay/20", "ok" },
  { "nobody accepts", "black_hole", "/ok", "timeout", false },
  { "a peer that says nothing", "silent", "/ok", "timeout", true },
  { "silence where TLS is due", "silent", "/ok", "timeout", false, { scheme = "https" } },
  { "half a handshake", "hello_stall", "/ok", "timeout", false },
  { "a byte every 200 ms", "http", "/slow/200", "timeout", true },
}
list:each("stall/", "timeout", true, [[start status in_head head body chunks trailers interim
  unsized]])
list:each("drip/", "timeout", true, [[status/20 head/20 headers/20 body/20 chunks/20 extension/20
  interim/5]])

list:begin("framing")

list:each("framed/", "protocol", true, [[length_word length_plus length_hex length_fraction
  length_gap length_unit length_nothing lengths_apart length_list_differs length_and_chunks
  coding_homemade coding_twice coding_gzip coding_identity coding_old chunk_word chunk_negative
  chunk_prefix chunk_longer chunk_unended chunk_no_size]])
list:each("framed/", "ok", nil, [[length_zeros length_twice length_list chunk_extension
  chunk_trailers]], { check = is_own, calls = 2 })
list:add{
  { "a length of 2^64 + 11", "http", "/framed/length_2_64", "protocol|too_large", true },
  { "a folded length", "http", "/framed/length_folded", "ok|protocol", true },
  { "a chunk of more than 2^60 bytes", "http", "/framed/chunk_overflow", "protocol|too_large",
    true },
  -- libcurl takes what there is of it, and waits for more.
  { "a chunk of 2^63 - 1 bytes", "http", "/framed/chunk_huge", "timeout", true,
    { nginx = "too_large" } },
  { "a body where none may be", "http", "/framed/body_with_204", nothing_due, true },
  { "a negative length", "http", "/length_negative", "protocol", true },
  { "two lengths", "http", "/lengths_differ", "protocol", true },
  { "a chunk without a size", "http", "/bad_chunk", "protocol", true },
  { "a huge length", "http", "/length_huge", "too_large", true },
  { "HTTP/0.9", "http", "/http09", "protocol", true },
  { "switching protocols unasked", "http", "/switching", "protocol", true },
  { "interim answers", "http", "/interim", "ok" },
  { "headers given twice", "http", "/header_repeated", "ok" },
  { "a NUL in a header", "http", "/header_nul", "protocol", true },
  { "a header without a colon", "http", "/header_without_colon", "protocol", true },
  -- libcurl reads past an extension without telling anybody.
  { "an endless chunk extension", "http", "/endless/chunk_extension", "timeout", true,
    { nginx = "protocol", few = true } },
}
list:each("surplus/together/", "ok", nil, "length chunked", { check = is_own, calls = 4 })
list:each("surplus/split/", "ok", nil, "length chunked", { check = is_own, calls = 4 })
list:each("endless/", "too_large|protocol", true, [[status blank_lines interim header name fold
  headers chunk_size trailers]])
list:each("endless/", "too_large", true, "chunks", { few = true })
list:each("head/", "protocol", true, [[status_four_digits status_two_digits status_word
  status_negative status_nothing version_high version_word version_none lower_case icy request
  http2_frames tls_alert smtp ssh binary header_lone_return]])
list:each("head/", "ok", nil, [[no_reason old lone_feeds header_fold type_absent type_html
  type_garbage]], { check = is_own })
list:each("head/", "ok|protocol", true, [[version_2 blank_line_first header_colon_first
  header_space_in_name header_space_before_colon header_control header_latin header_fold_first]],
  { check = is_own })

list:begin("size")

list:add{
  { "an honest body of 100 MB", "http", "/sized/104857600", "too_large", true },
  { "a chunk of 100 MB", "http", "/chunks/104857600", "too_large", true },
  { "an error page of 50 MB", "http", "/error_page/500/52428800", "too_large", true },
  { "an endless body", "http", "/endless_body", "too_large", true },
  { "an endless error page", "http", "/endless_error/503", "too_large", true },
  { "a header of 5 MB", "http", "/huge_header/5120", "too_large", true },
  { "a header of 90 KB", "http", "/huge_header/90", "ok" },
  { "100,000 headers", "http", "/many_headers/100000", "too_large", true },
  { "900 headers", "http", "/many_headers/900", "ok" },
}

-- No coding is asked for in nginx.
local packed = { nginx = "protocol", check = is("packed", true) }

list:add({
  { "gzip", "http", "/gzip", "ok" },
  { "gzip in gzip", "http", "/gzip_twice", "ok" },
  { "gzip that is five times less than it says", "http", "/gzip_layers/5", "protocol", true },
  { "sixty layers of gzip", "http", "/gzip_layers/60", "protocol", true },
  { "gzip of 1 GB", "http", "/gzip_bomb/1024", "too_large", true },
  { "gzip in gzip of 1 GB", "http", "/gzip_bomb_twice/1024", "too_large", true },
  { "a coding that nobody knows", "http", "/coding_unknown", "protocol", true },
  { "nothing, called gzip", "http", "/gzip_nothing", nothing_due, true },
}, packed)
list:each("gzip_", "protocol|decode|network", true, "corrupt truncated plain wrong_sum trailing",
  packed)

list:begin("TLS")

list:add{
  { "an answer over TLS", "https", "/ok", "ok" },
  { "no certificate where one is asked for", "mutual", "/ok", "tls|network" },
  { "the same in TLS 1.2", "mutual_12", "/ok", "tls|network", false },
  { "plain HTTP where TLS is due", "http", "/ok", "tls|network", false, { scheme = "https" } },
  { "TLS where plain HTTP is due", "https", "/ok", "protocol|network", true, { scheme = "http" } },
}

local function handshakes(kinds, names, more)
  for name in words(names) do
    list:add({ { "a handshake that fails: " .. name, name, "/ok", kinds, false,
      { scheme = "https" } } }, more)
  end
end

handshakes("tls", [[self_signed unknown_ca expired not_yet wrong_host wrong_wildcard no_authority
  weak_key old_tls tls_11 alert hello_garbage hello_long]])
-- nginx says only that it failed.
handshakes("network", "hello_reset hello_close hello_cut accept_reset accept_close",
  { nginx = "network|tls" })

-- nginx's cosockets speak HTTP/1.1 only.
list:begin("HTTP/2")

local with_curl = { only = "curl" }

list:add({
  { "an answer over HTTP/2", "http2", "/ok", "ok" },
  { "a stream that is refused", "http2", "/refused", "network", true },
  { "a call for calm", "http2", "/calm", "network", true },
  { "a stream without a head", "http2", "/ended_before_head", "network", true },
  { "a goodbye instead of an answer", "http2", "/goaway_at_once", "network", true },
  { "silence", "http2", "/stall/start", "timeout", true },
  { "silence after the head", "http2", "/stall/head", "timeout", true },
  { "silence in the body", "http2", "/stall/body", "timeout", true },
  { "an endless body over HTTP/2", "http2", "/endless_body", "too_large", true },
  { "gzip of 100 MB over HTTP/2", "http2", "/gzip_bomb/100", "too_large", true },
  { "an error over HTTP/2", "http2", "/status/404", "http", true, { status = 404 } },
}, with_curl)
for name in words [[close_before_reply reset_before_reply close_in_body connection_reset_in_body
  early_close early_reset reset_stream/INTERNAL_ERROR reset_in_body/CANCEL]] do
  list:add({ { "over HTTP/2: " .. name, "http2", "/" .. name, "network", true } }, with_curl)
end
-- That a flood holds nobody up is curl_tls_spec's.
for name in words "settings ping empty_data continuation interim" do
  list:add({ { "a flood of " .. name, "http2", "/flood/" .. name, "network|protocol|too_large",
    true, { few = true } } }, with_curl)
end
for name in words [[frames bad_hpack no_status data_first status_word upper_case push
  length_differs huge_frame other_stream]] do
  list:add({ { "no HTTP/2: " .. name, "http2", "/senseless/" .. name, "network|protocol", true } },
    with_curl)
end

return list
