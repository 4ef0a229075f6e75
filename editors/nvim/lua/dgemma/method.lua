-- Methods of a client: closures in Neovim 0.10, methods since.
local M = {}

local IS_METHOD = vim.fn.has('nvim-0.11') == 1

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param handler fun(err?: lsp.ResponseError, result?: any)
---@param buf integer
---@return integer? id
function M.request(client, method, params, handler, buf)
  local sent, id
  if IS_METHOD then
    sent, id = client:request(method, params, handler, buf)
  else
    sent, id = client.request(method, params, handler, buf)
  end
  return sent and id or nil
end

---@param client vim.lsp.Client
---@param id integer of a request
function M.cancel(client, id)
  if IS_METHOD then
    client:cancel_request(id)
  else
    client.cancel_request(id)
  end
end

---@param client vim.lsp.Client
---@param method string
---@param params table
function M.notify(client, method, params)
  if IS_METHOD then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

---@param client vim.lsp.Client
---@param force boolean
function M.stop(client, force)
  if IS_METHOD then
    client:stop(force)
  else
    client.stop(force)
  end
end

---@param client vim.lsp.Client
---@return boolean
function M.is_stopped(client)
  if IS_METHOD then
    return client:is_stopped()
  end
  return client.is_stopped()
end

---@param line string
---@param character integer in the client's units
---@param encoding string
---@return integer byte
function M.byte(line, character, encoding)
  if IS_METHOD then
    return vim.str_byteindex(line, encoding, character, false)
  end
  return vim.lsp.util._str_byteindex_enc(line, character, encoding)
end

return M
