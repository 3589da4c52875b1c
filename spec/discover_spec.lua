-- A tenant of eRTC is found, and a client made of what was found.

local refusal = require "spec.support.refusal"
local sandbox = require "usher.sandbox"
local usher = require "usher"

describe("usher.ertc_discover", function()
  it("gives the options of a client that works", function()
    local box = sandbox.new()
    local project = box:options("ertc")
    local found = assert(usher.ertc_discover{
      namespace = "sandbox", api_key = project.api_key, bundle_id = project.bundle_id,
      base_url = project.base_url, transport = project.transport,
    })
    assert.same({ "http://127.0.0.1/ertc", "tenant-1", project.api_key, project.bundle_id },
      { found.base_url, found.tenant_id, found.api_key, found.bundle_id })
    assert.is_nil(found.namespace)
    local client = usher.ertc(found)
    local answer = assert(client:get_or_update_user_by_app_id{ app_user_id = "new@example.com" })
    assert.is_true(answer.success)
    client:close()
  end)

  it("returns the error of the call", function()
    local box = sandbox.new()
    local project = box:options("ertc")
    local found, err = usher.ertc_discover{
      namespace = "nobody", api_key = project.api_key, bundle_id = project.bundle_id,
      base_url = project.base_url, transport = project.transport,
    }
    assert.is_nil(found)
    assert.equal(404, err.status)
  end)

  it("asks the provisioning server, and refuses an answer that tells nothing", function()
    local url
    local found, err = usher.ertc_discover{ namespace = "a b", api_key = "k", bundle_id = "b",
      transport = function(request)
        url = request.url
        return 200, {}, '{"success":true,"result":{"tenantId":7}}'
      end }
    assert.is_nil(found)
    assert.equal("decode", err.kind)
    assert.equal("https://prov.inappchat.io/v1/tenants/get-tenant-details/a%20b", url)
  end)

  it("raises for misuse", function()
    assert.truthy(refusal.of(usher.ertc_discover, {}):find("namespace is required", 1, true))
  end)
end)
