local M = {}

---What a key did before it was ours.
---@param lhs string
---@return fun(): string
local function earlier(lhs)
  local map = vim.fn.maparg(lhs, 'i', false, true)
  if vim.tbl_isempty(map) then
    return function()
      return lhs
    end
  end
  return function()
    if map.callback then
      local keys = map.callback()
      return map.expr == 1 and keys or ''
    end
    return map.expr == 1 and vim.api.nvim_eval(map.rhs) or map.rhs
  end
end

---Map the keys of the configuration. Where nothing is suggested, each does what it did before.
function M.map()
  local ghost = require('dgemma.ghost')
  for name, lhs in pairs(require('dgemma.config').current.keys or {}) do
    local desc = 'dgemma: ' .. name:gsub('_', ' ')
    if lhs and vim.fn.maparg(lhs, 'i', false, true).desc ~= desc then
      local otherwise = earlier(lhs)
      vim.keymap.set('i', lhs, function()
        return ghost[name]() and '' or otherwise()
      end, { expr = true, desc = desc })
    end
  end
end

return M
