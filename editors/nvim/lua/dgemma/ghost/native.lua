-- Ghost text by |vim.lsp.inline_completion| (0.12). Neovim asks and draws; accepting is ours, as
-- Neovim's own inserts the whole text at the old place even where its beginning was typed since.
local anchor = require('dgemma.ghost.anchor')

local METHOD = 'textDocument/inlineCompletion'

---@type dgemma.Backend
local M = {} ---@diagnostic disable-line: missing-fields

---@type table<integer, dgemma.Anchor> by request
local asked = {}
---@type table<integer, dgemma.Anchor> by buffer: of the last answer
local answered = {}

---@param event vim.api.keyset.create_autocmd.callback_args
local function on_request(event)
  local id, request = event.data.request_id, event.data.request
  if request.method ~= METHOD then
    return
  end
  if request.type == 'pending' and event.buf == vim.api.nvim_get_current_buf() then
    asked[id] = anchor.here(event.buf)
  elseif request.type == 'complete' and asked[id] then -- unknown if cancelled: answered all the same
    answered[event.buf], asked[id] = asked[id], nil
  elseif request.type == 'cancel' then
    asked[id] = nil
  end
end

function M.attach(_, buf)
  vim.api.nvim_create_autocmd('LspRequest', {
    group = vim.api.nvim_create_augroup('dgemma.ghost.' .. buf, {}),
    buffer = buf,
    callback = on_request,
  })
  -- By buffer: what is enabled for a client alone, Neovim 0.12 cannot disable again.
  vim.lsp.inline_completion.enable(not vim.g.dgemma_paused, { bufnr = buf })
end

function M.set_enabled(enabled)
  for _, client in ipairs(vim.lsp.get_clients({ name = 'dgemma_ls' })) do
    for buf in pairs(client.attached_buffers) do
      vim.lsp.inline_completion.enable(enabled, { bufnr = buf })
    end
  end
end

---@param item vim.lsp.inline_completion.Item
---@param part fun(text: string): string
local function take(item, part)
  local buf = vim.api.nvim_get_current_buf()
  local at = answered[buf]
  local typed = at and anchor.typed(at, buf)
  if not typed or type(item.insert_text) ~= 'string' then
    return
  end
  local from, to = at.col, at.col
  if item.range then
    local row, last_row
    row, from, last_row, to = item.range:to_extmark()
    if row ~= at.row or last_row ~= at.row then
      return
    end
  end
  local suggestion = { text = item.insert_text, from = from, to = to }
  local rest = anchor.rest(suggestion, at, typed)
  if not rest then
    return
  end
  local chosen = part(rest)
  local whole = chosen == rest
  local cursor = at.col + #typed
  anchor.insert(buf, chosen, whole and math.max(cursor, to + #typed) or cursor)
  local client = vim.lsp.get_client_by_id(item.client_id)
  if whole and item.command and client then
    client:exec_cmd(item.command, { bufnr = buf })
  end
end

function M.accept(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      take(item, part)
    end,
  })
end

---@return boolean
local function is_visible()
  local space = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
  return space ~= nil and #vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { limit = 1 }) > 0
end

function M.select(count)
  local visible = is_visible()
  if visible then
    vim.schedule(function()
      vim.lsp.inline_completion.select({ count = count })
    end)
  end
  return visible
end

function M.dismiss()
  return vim.lsp.inline_completion.get({ on_accept = function() end })
end

function M.request()
  vim.api.nvim_exec_autocmds('CursorMovedI', { buffer = 0 }) -- Neovim has no function for it
  return true
end

return M
