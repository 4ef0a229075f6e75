-- Ties a suggestion to the text that it was computed for, so that it never lands in another.
local M = {}

---@param buf integer the current buffer
---@return dgemma.Anchor
function M.here(buf)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  return {
    row = row - 1,
    col = col,
    line = vim.api.nvim_buf_get_lines(buf, row - 1, row, false)[1] or '',
    n_lines = vim.api.nvim_buf_line_count(buf),
  }
end

---What was typed at the anchor since; nil if anything else changed, or the cursor went elsewhere.
---@param anchor dgemma.Anchor
---@param buf integer the current buffer
---@return string?
function M.typed(anchor, buf)
  local now = M.here(buf)
  if now.row ~= anchor.row or now.n_lines ~= anchor.n_lines or now.col < anchor.col then
    return nil
  end
  local typed = now.line:sub(anchor.col + 1, now.col)
  local expected = anchor.line:sub(1, anchor.col) .. typed .. anchor.line:sub(anchor.col + 1)
  return now.line == expected and typed or nil
end

---The rest of a suggestion after what was typed of it; nil if it no longer fits.
---@param suggestion dgemma.Suggestion
---@param anchor dgemma.Anchor
---@param typed string
---@return string?
function M.rest(suggestion, anchor, typed)
  local known = anchor.line:sub(suggestion.from + 1, anchor.col) .. typed
  if vim.startswith(suggestion.text, known) and #suggestion.text > #known then
    return suggestion.text:sub(#known + 1)
  end
  return nil
end

---Insert text at the cursor as one step of undo, in place of the bytes up to `to`.
---@param buf integer the current buffer
---@param text string
---@param to integer byte in the cursor's line, not before the cursor
function M.insert(buf, text, to)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local lines = vim.split(text:gsub('\r\n?', '\n'), '\n', { plain = true }) -- 'fileformat' says how
  vim.bo[buf].undolevels = vim.bo[buf].undolevels -- ends the step before, |undo-break|
  vim.api.nvim_buf_set_text(buf, row - 1, col, row - 1, to, lines)
  local last = #lines == 1 and col + #lines[1] or #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines - 1, last })
end

return M
