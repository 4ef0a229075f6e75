-- Which part of a suggestion a key takes.
local M = {}

---@param text string
---@return string
function M.all(text)
  return text
end

---Blanks, then a word of 'iskeyword' or a run of other characters.
---@param text string
---@return string
function M.word(text)
  local stop = vim.fn.matchend(text, [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)]])
  return stop > 0 and text:sub(1, stop) or text
end

---The rest of the line; where that is empty, the next line.
---@param text string
---@return string
function M.line(text)
  return text:match('^\n*[^\n]+') or text
end

return M
