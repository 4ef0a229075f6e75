-- What the server does on demand. It sends its edits by itself, tied to the document's version.
local server = require('dgemma.server')

local M = {}

---The LSP range of the visual selection, or of whole lines.
---@param client vim.lsp.Client
---@param buf integer
---@param lines? [integer, integer] first and last line, from 1
---@return lsp.Range
local function range_of(client, buf, lines)
  local encoding = client.offset_encoding
  if lines then
    local last = vim.api.nvim_buf_get_lines(buf, lines[2] - 1, lines[2], false)[1]
    local first_mark, last_mark = { lines[1], 0 }, { lines[2], math.max(0, #last - 1) }
    return vim.lsp.util.make_given_range_params(first_mark, last_mark, buf, encoding).range
  end
  local first, last = vim.fn.getpos('v'), vim.fn.getpos('.')
  if first[2] > last[2] or (first[2] == last[2] and first[3] > last[3]) then
    first, last = last, first
  end
  if vim.fn.mode() == 'V' then
    return range_of(client, buf, { first[2], last[2] })
  end
  local first_mark, last_mark = { first[2], first[3] - 1 }, { last[2], last[3] - 1 }
  return vim.lsp.util.make_given_range_params(first_mark, last_mark, buf, encoding).range
end

---@return vim.lsp.Client?
local function need_client()
  local client = server.client()
  if not client then
    local words = 'dgemma: no server is attached to this buffer; see :checkhealth dgemma'
    vim.notify(words, vim.log.levels.WARN)
  end
  return client
end

---@param buf integer
---@param range lsp.Range
---@param instruction? string asked for if nil
local function rewrite(buf, range, instruction)
  local function run(text)
    if text == nil then
      return -- cancelled
    end
    local strength = require('dgemma.config').current.strength
    server.execute('dgemma.rewrite', {
      uri = vim.uri_from_bufnr(buf),
      range = range,
      strength = strength,
      instruction = text ~= '' and text or nil,
    }, buf)
  end
  if instruction then
    run(instruction)
  else
    vim.ui.input({ prompt = 'Rewrite (what to change, or nothing): ' }, run)
  end
end

---Rewrite what is selected; asks how.
function M.rewrite_selection()
  local client, buf = need_client(), vim.api.nvim_get_current_buf()
  if client then
    local range = range_of(client, buf)
    vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false)
    rewrite(buf, range)
  end
end

---@param lines [integer, integer] first and last line, from 1
---@param instruction? string
function M.rewrite_lines(lines, instruction)
  local client, buf = need_client(), vim.api.nvim_get_current_buf()
  if client then
    rewrite(buf, range_of(client, buf, lines), instruction)
  end
end

---Put in place of the selection what the model thinks belongs there.
function M.fill_selection()
  local client, buf = need_client(), vim.api.nvim_get_current_buf()
  if client then
    local range = range_of(client, buf)
    vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false)
    local argument = { uri = vim.uri_from_bufnr(buf), ranges = { range } }
    server.execute('dgemma.fillHoles', argument, buf)
  end
end

---Fill at the cursor, or in place of whole lines.
---@param lines? [integer, integer] first and last line, from 1
function M.fill(lines)
  local client, buf = need_client(), vim.api.nvim_get_current_buf()
  if not client then
    return
  end
  local argument = { uri = vim.uri_from_bufnr(buf) }
  if lines then
    argument.ranges = { range_of(client, buf, lines) }
  else
    local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
    argument.positions = { params.position }
  end
  server.execute('dgemma.fillHoles', argument, buf)
end

---Fix the typing errors of the whole document.
function M.fix_document()
  local buf = vim.api.nvim_get_current_buf()
  if need_client() then
    server.execute('dgemma.fixDocument', { uri = vim.uri_from_bufnr(buf) }, buf)
  end
end

return M
