-- Next edits: what ought to change next, elsewhere in the document, shown where it would. Asked for
-- in Normal mode after a change, where the server says that it can. State: one edit per buffer.
local draw = require('dgemma.next_edit.draw')
local method = require('dgemma.method')

local METHOD = 'textDocument/copilotInlineEdit' -- as GitHub's Copilot server names it
local SHOWN = 'textDocument/didShowInlineEdit'
local REJECT = 'dgemma.rejectInlineEdit'

local M = {}

---@class (exact) dgemma.NextEditState
---@field client_id integer
---@field timer? uv.uv_timer_t
---@field pending? integer the request's id
---@field edit? dgemma.NextEdit

---@type table<integer, dgemma.NextEditState?>
local states = {}

---@param client vim.lsp.Client
---@return boolean
local function is_offered(client)
  local experimental = client.server_capabilities.experimental
  return type(experimental) == 'table' and experimental.copilotInlineEditProvider == true
end

---@param state dgemma.NextEditState
---@param buf integer
local function clear(state, buf)
  if state.timer then
    state.timer:stop()
  end
  local client = vim.lsp.get_client_by_id(state.client_id)
  if state.pending and client then
    method.cancel(client, state.pending)
  end
  state.pending, state.edit = nil, nil
  draw.clear(buf)
end

---@param item lsp.InlineEdit
---@param buf integer
---@param encoding string
---@return dgemma.NextEdit? edit nil if it is of another document, or of another version of this one
local function convert(item, buf, encoding)
  local document = item.textDocument or {}
  local version = vim.lsp.util.buf_versions[buf]
  local is_ours = document.uri == nil or document.uri == vim.uri_from_bufnr(buf)
  local is_now = document.version == nil or document.version == version
  if not (is_ours and is_now and type(item.text) == 'string' and item.range) then
    return nil
  end
  local n_lines = vim.api.nvim_buf_line_count(buf)
  ---@param place lsp.Position
  local function mark(place)
    if place.line >= n_lines then -- after the last line end, which Neovim has no line for
      return { n_lines, 0 }
    end
    local line = vim.api.nvim_buf_get_lines(buf, place.line, place.line + 1, false)[1]
    return { place.line, method.byte(line, place.character, encoding) }
  end
  return {
    item = item,
    from = mark(item.range.start),
    to = mark(item.range['end']),
    lines = vim.split(item.text:gsub('\r\n?', '\n'), '\n', { plain = true }),
    version = version,
  }
end

---@param command lsp.Command?
---@param name? string another command that takes the same arguments
---@param state dgemma.NextEditState
---@param buf integer
local function tell(command, name, state, buf)
  local client = vim.lsp.get_client_by_id(state.client_id)
  if command and client then
    local params = { command = name or command.command, arguments = command.arguments }
    method.request(client, 'workspace/executeCommand', params, function() end, buf)
  end
end

---@param buf integer the current buffer
---@param when_none? fun() called if there is no edit
local function ask(buf, when_none)
  local state = states[buf]
  local client = state and vim.lsp.get_client_by_id(state.client_id)
  if not state or not client then
    return
  end
  clear(state, buf)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  local version = vim.lsp.util.buf_versions[buf]
  params.textDocument.version = version
  local id
  id = method.request(client, METHOD, params, function(err, result)
    if state.pending ~= id then
      return
    end
    state.pending = nil
    local is_stale = vim.api.nvim_get_current_buf() ~= buf
      or vim.lsp.util.buf_versions[buf] ~= version
      or vim.api.nvim_get_mode().mode ~= 'n'
    if is_stale then
      return
    end
    local items = not err and type(result) == 'table' and result.edits or {}
    local edit = items[1] and convert(items[1], buf, client.offset_encoding)
    if edit and draw.show(buf, edit) then
      state.edit = edit
      method.notify(client, SHOWN, { item = { command = items[1].command } })
    elseif when_none then
      when_none()
    end
  end, buf)
  state.pending = id
end

---@return boolean whether the text is one that undo brought back
local function was_undone()
  local tree = vim.fn.undotree()
  return tree.seq_cur < tree.seq_last
end

---@param buf integer
local function on_change(buf)
  local state = states[buf]
  if not state then
    return
  end
  clear(state, buf)
  if vim.g.dgemma_paused or was_undone() then
    return
  end
  state.timer = state.timer or assert(vim.uv.new_timer())
  local callback = vim.schedule_wrap(function()
    if vim.api.nvim_get_mode().mode == 'n' and vim.api.nvim_get_current_buf() == buf then
      ask(buf)
    end
  end)
  state.timer:start(require('dgemma.config').current.debounce_ms, 0, callback)
end

---Ask after changes of a buffer from now on, if the server can and the user wants it.
---@param client vim.lsp.Client
---@param buf integer
function M.attach(client, buf)
  if not is_offered(client) or not require('dgemma.config').current.next_edit then
    return
  end
  if states[buf] then
    clear(states[buf], buf)
  end
  states[buf] = { client_id = client.id }
  require('dgemma.keys').map_edit()
  local group = vim.api.nvim_create_augroup('dgemma.next_edit.' .. buf, {})
  ---@param events string[]
  ---@param act fun()
  local function on(events, act)
    vim.api.nvim_create_autocmd(events, { group = group, buffer = buf, callback = act })
  end
  on({ 'TextChanged', 'InsertLeave' }, function()
    on_change(buf)
  end)
  on({ 'InsertEnter', 'BufLeave', 'BufUnload' }, function()
    clear(states[buf], buf)
  end)
  on({ 'CursorMoved' }, function()
    if states[buf].edit then
      draw.point(buf, states[buf].edit)
    end
  end)
end

---Take away what is shown, in all buffers.
function M.clear_all()
  for buf, state in pairs(states) do
    clear(state, buf)
  end
end

---@return dgemma.NextEdit? edit that is shown in the current buffer, of the text as it is
---@return dgemma.NextEditState?
---@return integer buf
local function current()
  local buf = vim.api.nvim_get_current_buf()
  local state = states[buf]
  local edit = state and state.edit
  if edit and edit.version == vim.lsp.util.buf_versions[buf] then
    return edit, state, buf
  end
  return nil, state, buf
end

---@param buf integer the current buffer
---@param edit dgemma.NextEdit
---@param encoding string
local function apply(buf, edit, encoding)
  vim.bo[buf].undolevels = vim.bo[buf].undolevels -- ends the step before, |undo-break|
  local text_edit = { range = edit.item.range, newText = edit.item.text }
  vim.lsp.util.apply_text_edits({ text_edit }, buf, encoding)
  local row = edit.from[1] + #edit.lines
  local col = #edit.lines == 1 and edit.from[2] + #edit.lines[1] or #edit.lines[#edit.lines]
  local line = vim.api.nvim_buf_get_lines(buf, row - 1, row, false)[1]
  if line then
    vim.api.nvim_win_set_cursor(0, { row, math.min(math.max(col - 1, 0), #line) })
  end
end

---Go to the edit that is shown; where the cursor is at it already, take it.
---@return boolean whether there was one
function M.accept()
  if not current() then
    return false
  end
  vim.schedule(function() -- an <expr> mapping may neither move nor change text
    local edit, state, buf = current()
    if not edit or not state then
      return
    end
    if not draw.is_at(edit) then
      vim.cmd("normal! m'") -- so that Ctrl-O goes back
      local n_lines = vim.api.nvim_buf_line_count(buf)
      vim.api.nvim_win_set_cursor(0, { math.min(edit.from[1] + 1, n_lines), edit.from[2] })
      return
    end
    local client = vim.lsp.get_client_by_id(state.client_id)
    clear(state, buf)
    if client then
      apply(buf, edit, client.offset_encoding)
      tell(edit.item.command, nil, state, buf)
    end
  end)
  return true
end

---Take the edit away, and tell the server that it was not wanted.
---@return boolean whether there was one
function M.dismiss()
  local edit, state, buf = current()
  if not edit or not state then
    return false
  end
  clear(state, buf)
  tell(edit.item.command, REJECT, state, buf)
  return true
end

---Ask now, and say so if there is nothing.
function M.request()
  local buf = vim.api.nvim_get_current_buf()
  if not states[buf] then
    vim.notify('dgemma: this server offers no next edits', vim.log.levels.WARN)
    return
  end
  ask(buf, function()
    vim.notify('dgemma: no next edit')
  end)
end

return M
