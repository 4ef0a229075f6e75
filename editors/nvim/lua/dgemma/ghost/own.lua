-- Ghost text by the plugin itself, for Neovim 0.10 and 0.11. One suggestion per buffer is on the
-- screen; typing along it takes it up without a new request.
local anchor = require('dgemma.ghost.anchor')
local method = require('dgemma.method')

local METHOD = 'textDocument/inlineCompletion'
local AUTOMATIC, INVOKED = 2, 1 -- LSP 3.18, InlineCompletionTriggerKind
local SPACE = vim.api.nvim_create_namespace('dgemma.ghost')

---@type dgemma.Backend
local M = {} ---@diagnostic disable-line: missing-fields

---@class (exact) dgemma.OwnState
---@field client_id integer
---@field timer? uv.uv_timer_t
---@field pending? integer the request's id
---@field at? dgemma.Anchor
---@field suggestions dgemma.Suggestion[]
---@field index integer

---@type table<integer, dgemma.OwnState?>
local states = {}

---@param state dgemma.OwnState
---@param buf integer
---@return string? rest of the suggestion that is shown, nil if none fits the text any more
---@return dgemma.Suggestion? which
---@return string? typed
local function current(state, buf)
  local typed = state.at and anchor.typed(state.at, buf)
  local suggestion = state.suggestions[state.index]
  if typed and suggestion then
    return anchor.rest(suggestion, state.at, typed), suggestion, typed
  end
end

---@param state dgemma.OwnState
---@param buf integer
---@return boolean visible
local function draw(state, buf)
  vim.api.nvim_buf_clear_namespace(buf, SPACE, 0, -1)
  local rest, suggestion = current(state, buf)
  if not rest or not suggestion then
    return false
  end
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local lines = vim.tbl_map(function(line)
    return { { line, 'DgemmaGhost' } }
  end, vim.split(rest:gsub('\r', ''), '\n', { plain = true }))
  vim.api.nvim_buf_set_extmark(buf, SPACE, row - 1, col, {
    virt_text = lines[1],
    virt_text_pos = suggestion.to > state.at.col and 'overlay' or 'inline',
    virt_lines = vim.list_slice(lines, 2),
    hl_mode = 'combine',
  })
  return true
end

---@param state dgemma.OwnState
---@param buf integer
local function clear(state, buf)
  if state.timer then
    state.timer:stop()
  end
  local client = vim.lsp.get_client_by_id(state.client_id)
  if state.pending and client then
    method.cancel(client, state.pending)
  end
  state.pending, state.at, state.suggestions = nil, nil, {}
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, SPACE, 0, -1)
  end
end

---@param item lsp.InlineCompletionItem
---@param at dgemma.Anchor
---@param encoding string
---@return dgemma.Suggestion?
local function convert(item, at, encoding)
  if type(item.insertText) ~= 'string' then
    return nil
  end
  local range = item.range
  if not range then
    return { text = item.insertText, from = at.col, to = at.col, command = item.command }
  end
  if range.start.line ~= at.row or range['end'].line ~= at.row then
    return nil
  end
  local from = method.byte(at.line, range.start.character, encoding)
  local to = method.byte(at.line, range['end'].character, encoding)
  if from > at.col or to < at.col then
    return nil
  end
  return { text = item.insertText, from = from, to = to, command = item.command }
end

---@param buf integer the current buffer
---@param kind integer
local function ask(buf, kind)
  local state = states[buf]
  local client = state and vim.lsp.get_client_by_id(state.client_id)
  if not state or not client then
    return
  end
  clear(state, buf)
  local at = anchor.here(buf)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local id
  id = method.request(client, METHOD, params, function(err, result)
    if err or state.pending ~= id or vim.api.nvim_get_current_buf() ~= buf then
      return
    end
    state.pending = nil
    if vim.api.nvim_get_mode().mode:sub(1, 1) ~= 'i' then
      return
    end
    state.at, state.index, state.suggestions = at, 1, {}
    for _, item in ipairs(result and (result.items or result) or {}) do
      table.insert(state.suggestions, convert(item, at, client.offset_encoding))
    end
    draw(state, buf)
  end, buf)
  state.pending = id
end

---@param buf integer
local function on_move(buf)
  local state = states[buf]
  if not state or vim.g.dgemma_paused or draw(state, buf) then
    return
  end
  clear(state, buf)
  state.timer = state.timer or assert(vim.uv.new_timer())
  local callback = vim.schedule_wrap(function()
    if vim.api.nvim_get_mode().mode:sub(1, 1) == 'i' and vim.api.nvim_get_current_buf() == buf then
      ask(buf, AUTOMATIC)
    end
  end)
  state.timer:start(require('dgemma.config').current.debounce_ms, 0, callback)
end

function M.attach(client, buf)
  vim.api.nvim_set_hl(0, 'DgemmaGhost', { link = 'Comment', default = true })
  if states[buf] then
    clear(states[buf], buf)
  end
  states[buf] = { client_id = client.id, suggestions = {}, index = 1 }
  local group = vim.api.nvim_create_augroup('dgemma.ghost.' .. buf, {})
  vim.api.nvim_create_autocmd({ 'InsertEnter', 'CursorMovedI', 'TextChangedI' }, {
    group = group,
    buffer = buf,
    callback = function()
      on_move(buf)
    end,
  })
  vim.api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave', 'BufUnload' }, {
    group = group,
    buffer = buf,
    callback = function()
      clear(states[buf], buf)
    end,
  })
end

function M.set_enabled()
  for buf, state in pairs(states) do
    clear(state, buf)
  end
end

function M.accept(part)
  local buf = vim.api.nvim_get_current_buf()
  local state = states[buf]
  if not state or not current(state, buf) then
    return false
  end
  vim.schedule(function() -- an <expr> mapping may not change text
    local rest, suggestion, typed = current(state, buf)
    if not rest or not suggestion then
      return
    end
    local chosen = part(rest)
    local cursor = state.at.col + #typed
    local to = cursor
    if chosen == rest then
      to = math.max(cursor, suggestion.to + #typed)
      clear(state, buf)
    end
    anchor.insert(buf, chosen, to)
    if chosen == rest and suggestion.command then
      local client = vim.lsp.get_client_by_id(state.client_id)
      if client then
        local params =
          { command = suggestion.command.command, arguments = suggestion.command.arguments }
        method.request(client, 'workspace/executeCommand', params, function() end, buf)
      end
    end
    if chosen ~= rest and chosen:find('\n') then
      -- The rest goes on in another line, and so does its anchor.
      local left = rest:sub(#chosen + 1)
      state.at = anchor.here(buf)
      local tail = math.max(0, suggestion.to - (cursor - #typed))
      local from = state.at.col
      state.suggestions =
        { { text = left, from = from, to = from + tail, command = suggestion.command } }
      state.index = 1
    end
    draw(state, buf)
  end)
  return true
end

function M.select(count)
  local buf = vim.api.nvim_get_current_buf()
  local state = states[buf]
  if not state or not current(state, buf) then
    return false
  end
  vim.schedule(function()
    for _ = 1, #state.suggestions do -- some may no longer fit what was typed
      state.index = (state.index - 1 + count) % #state.suggestions + 1
      if draw(state, buf) then
        return
      end
    end
  end)
  return true
end

function M.dismiss()
  local buf = vim.api.nvim_get_current_buf()
  local state = states[buf]
  if not state or not current(state, buf) then
    return false
  end
  clear(state, buf)
  return true
end

function M.request()
  ask(vim.api.nvim_get_current_buf(), INVOKED)
  return true
end

return M
