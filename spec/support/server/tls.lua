-- Certificates and what else a TLS server may have wrong. Keys and certificates are made anew each
-- time; those that clients need are written to files.

local bignum = require "openssl.bignum"
local pkey = require "openssl.pkey"
local ssl_context = require "openssl.ssl.context"
local x509 = require "openssl.x509"
local x509_altname = require "openssl.x509.altname"
local x509_chain = require "openssl.x509.chain"
local x509_name = require "openssl.x509.name"
local x509_store = require "openssl.x509.store"

local http2 = require "spec.support.server.http2"

local HOST = require("spec.support.server.connection").HOST

local M = {}

local DAY = 86400
local OP_NO_TLSV1_3 = ssl_context.OP_NO_TLSv1_3 or 0x20000000
local HERE = { names = { "localhost" }, addresses = { HOST } }
local serial = 0

local function new_key()
  return pkey.new { type = "EC", curve = "prime256v1" }
end

-- options: authority, names (DNS), addresses (IP), from and to in days from now
local function certify(subject, key, issuer, options)
  local certificate = x509.new()
  local name = x509_name.new():add("CN", subject)
  serial = serial + 1
  certificate:setVersion(3)
  certificate:setSerial(bignum.new(serial))
  certificate:setSubject(name)
  certificate:setIssuer(issuer and issuer.certificate:getSubject() or name)
  local now = os.time()
  certificate:setLifetime(now + (options.from or -1) * DAY, now + (options.to or 7) * DAY)
  certificate:setBasicConstraints { CA = options.authority or false }
  certificate:setBasicConstraintsCritical(true)
  local alternatives = x509_altname.new()
  for _, dns in ipairs(options.names or {}) do alternatives:add("DNS", dns) end
  for _, address in ipairs(options.addresses or {}) do alternatives:add("IP", address) end
  if options.names then certificate:setSubjectAlt(alternatives) end
  certificate:setPublicKey(key)
  certificate:sign(issuer and issuer.key or key)
  return certificate
end

local function new_authority(subject, issuer, options)
  local key = new_key()
  return { key = key, certificate = certify(subject, key, issuer, options or { authority = true }) }
end

-- Security level 0: what is old or weak is refused by the client, not by us.
local function context_of(key, certificate, level)
  local context = ssl_context.new("TLS", true)
  if level then context:setCipherList("DEFAULT:@SECLEVEL=" .. level) end
  context:setPrivateKey(key)
  context:setCertificate(certificate)
  return context
end

local function http2_context(key, certificate)
  local context = context_of(key, certificate)
  context:setAlpnSelect(http2.select)
  return context
end

local function mutual_context(key, certificate, authority, options)
  local context = context_of(key, certificate)
  context:setStore(x509_store.new():add(authority.certificate))
  context:setVerify(ssl_context.VERIFY_PEER + ssl_context.VERIFY_FAIL_IF_NO_PEER_CERT)
  if options then context:setOptions(options) end
  return context
end

local function old_context(key, certificate, options)
  local context = context_of(key, certificate, 0)
  context:setOptions(ssl_context.OP_NO_TLSv1_2 + OP_NO_TLSV1_3 + options)
  return context
end

-- Signed by a certificate that is no authority's, which is sent along.
local function chained_context(key, issue, go_between)
  local context = context_of(key, issue(go_between, HERE))
  context:setCertificateChain(x509_chain.new():add(go_between.certificate))
  return context
end

local function write_file(directory, name, text)
  local path = directory .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function between(from, to)
  return { names = HERE.names, addresses = HERE.addresses, from = from, to = to }
end

--- Makes all keys and certificates.
-- @tparam string directory for the files
-- @treturn table contexts by the name of their listener
-- @treturn table paths: ca_file, client_cert, client_key_file
function M.make(directory)
  local authority, stranger = new_authority("usher test CA"), new_authority("another CA")
  local nobody = new_authority("no authority", authority, {})
  local key, client_key = new_key(), new_key()
  local weak_key = pkey.new { type = "RSA", bits = 768 }
  local function issue(issuer, options) return certify("localhost", key, issuer, options) end
  local good = issue(authority, HERE)
  local client = certify("usher test client", client_key, authority, {})
  return {
    https = context_of(key, good),
    http2 = http2_context(key, good),
    mutual = mutual_context(key, good, authority),
    mutual_12 = mutual_context(key, good, authority, OP_NO_TLSV1_3),
    old_tls = old_context(key, good, ssl_context.OP_NO_TLSv1_1),
    tls_11 = old_context(key, good, ssl_context.OP_NO_TLSv1),
    wrong_host = context_of(key, issue(authority, { names = { "elsewhere.example" } })),
    wrong_wildcard = context_of(key, issue(authority, { names = { "*.localhost", "*" } })),
    expired = context_of(key, issue(authority, between(-3, -2))),
    not_yet = context_of(key, issue(authority, between(2, 3))),
    self_signed = context_of(key, issue(nil, HERE)),
    unknown_ca = context_of(key, issue(stranger, HERE)),
    no_authority = chained_context(key, issue, nobody),
    weak_key = context_of(weak_key, certify("localhost", weak_key, authority, HERE), 0),
  }, {
    ca_file = write_file(directory, "ca.pem", authority.certificate:toPEM()),
    client_cert = write_file(directory, "client.pem", client:toPEM()),
    client_key_file = write_file(directory, "client_key.pem", client_key:toPEM("private")),
  }
end

return M
