local M = {}

---Keys of Normal mode, mapped once a server can do what they are for, and what they do.
---@type table<string, string>
local EDIT_KEYS = { accept_edit = 'accept', dismiss_edit = 'dismiss' }

local is_set_up = false

---What a key did before it was ours.
---@param mode string
---@param lhs string
---@return fun(): string
local function earlier(mode, lhs)
  local map = vim.fn.maparg(lhs, mode, false, true)
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

---@param name string of an option in `keys`
---@return string
function M.mode(name)
  return EDIT_KEYS[name] and 'n' or 'i'
end

---@param name string of an option in `keys`
---@return string
function M.description(name)
  return 'dgemma: ' .. name:gsub('_', ' ')
end

---Map one key. Where there is nothing to act on, it does what it did before.
---@param name string
---@param lhs string|false
---@param act fun(): boolean
local function map_one(name, lhs, act)
  local mode, desc = M.mode(name), M.description(name)
  if lhs and vim.fn.maparg(lhs, mode, false, true).desc ~= desc then
    local otherwise = earlier(mode, lhs)
    vim.keymap.set(mode, lhs, function()
      return act() and '' or otherwise()
    end, { expr = true, desc = desc })
  end
end

---Map the keys of the configuration.
function M.map()
  is_set_up = true
  local ghost = require('dgemma.ghost')
  for name, lhs in pairs(require('dgemma.config').current.keys or {}) do
    if not EDIT_KEYS[name] then
      map_one(name, lhs, ghost[name])
    end
  end
end

---Map the keys for next edits, if |dgemma.setup()| was to map keys.
function M.map_edit()
  local keys = is_set_up and require('dgemma.config').current.keys or {}
  for name, act in pairs(EDIT_KEYS) do
    map_one(name, keys[name], require('dgemma.next_edit')[act])
  end
end

return M
