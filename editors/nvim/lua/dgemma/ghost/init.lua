-- Ghost text, whoever draws it. All functions say whether there was something to act on.
local parts = require('dgemma.ghost.parts')

local M = {}

---@return dgemma.Backend
local function backend()
  return require('dgemma.ghost.' .. M.backend_name())
end

---@return 'native'|'own'
function M.backend_name()
  local chosen = require('dgemma.config').current.ghost
  if chosen ~= 'auto' then
    return chosen
  end
  return vim.lsp.inline_completion and 'native' or 'own'
end

---@param client vim.lsp.Client
---@param buf integer
function M.attach(client, buf)
  if client.server_capabilities.inlineCompletionProvider then
    backend().attach(client, buf)
  end
end

---@return boolean
function M.accept()
  return backend().accept(parts.all)
end

---@return boolean
function M.accept_word()
  return backend().accept(parts.word)
end

---@return boolean
function M.accept_line()
  return backend().accept(parts.line)
end

---@return boolean
function M.next()
  return backend().select(1)
end

---@return boolean
function M.previous()
  return backend().select(-1)
end

---@return boolean
function M.dismiss()
  return backend().dismiss()
end

---Ask for a suggestion now, as by a key.
---@return boolean
function M.request()
  return backend().request()
end

---Switch ghost text on or off, in all buffers.
function M.toggle()
  local enabled = vim.g.dgemma_paused == true
  vim.g.dgemma_paused = not enabled
  backend().set_enabled(enabled)
  require('dgemma.next_edit').clear_all()
  vim.notify('dgemma: ghost text is ' .. (enabled and 'on' or 'off'))
end

return M
