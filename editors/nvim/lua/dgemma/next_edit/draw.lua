-- Draws a next edit: old text struck through, new text beside or below it, and, where the cursor
-- is elsewhere, a word at its line of where to look.
local SPACE = vim.api.nvim_create_namespace('dgemma.next_edit')
local diff = vim.text and vim.text.diff or vim.diff

local M = {}

local hint ---@type integer? the extmark of the word at the cursor

local function set_looks()
  local old = vim.api.nvim_get_hl(0, { name = 'DiffDelete', link = false })
  local look = { fg = old.fg, bg = old.bg, ctermfg = old.ctermfg, ctermbg = old.ctermbg }
  look.strikethrough, look.cterm, look.default = true, { strikethrough = true }, true
  vim.api.nvim_set_hl(0, 'DgemmaEditOld', look)
  vim.api.nvim_set_hl(0, 'DgemmaEditNew', { link = 'DiffAdd', default = true })
  vim.api.nvim_set_hl(0, 'DgemmaEditHint', { link = 'DiagnosticVirtualTextHint', default = true })
end

---@param buf integer
---@param row integer
---@param col integer
---@param options vim.api.keyset.set_extmark
local function mark(buf, row, col, options)
  return vim.api.nvim_buf_set_extmark(buf, SPACE, row, col, options)
end

---Words, runs of characters beyond ASCII, and single other characters: none cuts a character.
---@param line string
---@return string[]
local function tokens(line)
  local found = {}
  local at = 1
  while at <= #line do
    local token = line:match('^[%w_\128-\255]+', at) or line:sub(at, at)
    table.insert(found, token)
    at = at + #token
  end
  return found
end

---@param some string[]
---@return string
local function rows(some)
  return #some > 0 and table.concat(some, '\n') .. '\n' or ''
end

---@param old string[]
---@param new string[]
---@param linematch? boolean whether to pair lines that are alike
---@return [integer, integer, integer, integer][] hunks first and count in old, first and count in new
local function hunks(old, new, linematch)
  local result = diff(rows(old), rows(new), { result_type = 'indices', linematch = linematch })
  return result --[[@as [integer, integer, integer, integer][] ]]
end

---Draw a line that becomes another one: what is new stands behind what it replaces.
---@param buf integer
---@param row integer
---@param old string
---@param new string
---@return boolean whether the two are alike; if not, nothing is drawn, as nobody could read it
local function draw_within(buf, row, old, new)
  local before, after = tokens(old), tokens(new)
  local changes, n_changed = {}, 0
  for _, hunk in ipairs(hunks(before, after)) do
    local first = hunk[2] == 0 and hunk[1] + 1 or hunk[1]
    local from = #table.concat(before, '', 1, first - 1)
    local gone = table.concat(before, '', first, first + hunk[2] - 1)
    local text = table.concat(after, '', hunk[3], hunk[3] + hunk[4] - 1)
    table.insert(changes, { from = from, to = from + #gone, text = text })
    n_changed = n_changed + #gone:gsub('%s', '')
  end
  if 2 * n_changed > #old:gsub('%s', '') then
    return false
  end
  for _, it in ipairs(changes) do
    if it.to > it.from then
      mark(buf, row, it.from, { end_col = it.to, hl_group = 'DgemmaEditOld' })
    end
    if it.text ~= '' then
      local text = { { it.text, 'DgemmaEditNew' } }
      mark(buf, row, it.to, { virt_text = text, virt_text_pos = 'inline' })
    end
  end
  return true
end

---@param buf integer
---@param row integer
local function strike(buf, row)
  mark(buf, row, 0, { end_row = row + 1, hl_group = 'DgemmaEditOld', strict = false })
end

---@param buf integer
---@param row integer before the first line: -1
---@param new string[]
local function draw_below(buf, row, new)
  local lines = vim.tbl_map(function(line)
    return { { line == '' and ' ' or line, 'DgemmaEditNew' } }
  end, new)
  mark(buf, math.max(row, 0), 0, { virt_lines = lines, virt_lines_above = row < 0 })
  if row < 0 and vim.fn.line('w0') == 1 then
    vim.fn.winrestview({ topline = 1, topfill = #lines }) -- else the window begins below them
  end
end

---@param edit dgemma.NextEdit
---@return boolean whether the cursor is in a line of the edit
function M.is_at(edit)
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local last = math.max(edit.from[1], edit.to[2] == 0 and edit.to[1] - 1 or edit.to[1])
  local n_lines = vim.api.nvim_buf_line_count(0)
  return row >= math.min(edit.from[1], n_lines - 1) and row <= last
end

---Say at the cursor's line where the edit is, unless the cursor is there.
---@param buf integer the current buffer
---@param edit dgemma.NextEdit
function M.point(buf, edit)
  if hint then
    vim.api.nvim_buf_del_extmark(buf, SPACE, hint)
    hint = nil
  end
  if not M.is_at(edit) then
    local keys = require('dgemma.config').current.keys
    local key = keys and keys.accept_edit or '<Plug>(dgemma-accept-edit)'
    local words = (' %s: line %d '):format(key, edit.from[1] + 1)
    local row = vim.api.nvim_win_get_cursor(0)[1] - 1
    hint = mark(buf, row, 0, { virt_text = { { words, 'DgemmaEditHint' } }, virt_text_pos = 'eol' })
  end
end

---@param buf integer the current buffer
---@param edit dgemma.NextEdit
---@return boolean whether it changes anything
function M.show(buf, edit)
  M.clear(buf)
  set_looks()
  local old = vim.api.nvim_buf_get_lines(buf, edit.from[1], edit.to[1] + 1, false)
  local new = vim.deepcopy(edit.lines)
  new[1] = (old[1] or ''):sub(1, edit.from[2]) .. new[1]
  if edit.to[1] - edit.from[1] < #old then -- else the edit ends after the last line
    new[#new] = new[#new] .. old[edit.to[1] - edit.from[1] + 1]:sub(edit.to[2] + 1)
  elseif new[#new] == '' then
    table.remove(new)
  end
  local changed = hunks(old, new, true)
  local below = {} ---@type table<integer, string[]> by row; one mark each, as several have no order
  for _, hunk in ipairs(changed) do
    local first = edit.from[1] + (hunk[2] == 0 and hunk[1] or hunk[1] - 1)
    for n = 0, math.max(hunk[2], hunk[4]) - 1 do
      local row = first + math.min(n, hunk[2] - 1)
      local before, after = n < hunk[2] and old[hunk[1] + n], n < hunk[4] and new[hunk[3] + n]
      if not (before and after and draw_within(buf, row, before, after)) then
        if before then
          strike(buf, row)
        end
        if after then
          below[row] = vim.list_extend(below[row] or {}, { after })
        end
      end
    end
  end
  for row, lines in pairs(below) do
    draw_below(buf, row, lines)
  end
  if #changed > 0 then
    M.point(buf, edit)
  end
  return #changed > 0
end

---@param buf integer
function M.clear(buf)
  hint = nil
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, SPACE, 0, -1)
  end
end

return M
