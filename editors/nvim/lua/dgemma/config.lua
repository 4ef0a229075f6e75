local M = {}

---@type dgemma.Config
local defaults = {
  cmd = { 'dgemma-ls', '--stdio' },
  init_options = vim.empty_dict(),
  ghost = 'auto',
  debounce_ms = 75,
  next_edit = true,
  keys = {
    accept = '<Tab>',
    accept_word = '<M-Right>',
    accept_line = '<M-C-Right>',
    next = '<M-]>',
    previous = '<M-[>',
    dismiss = '<C-]>',
    accept_edit = '<Tab>',
    dismiss_edit = '<Esc>',
  },
  strength = 0.5,
  max_restarts = 3,
}

---@type dgemma.Config
M.current = vim.deepcopy(defaults)

---Check and take what the user gave. An unknown name is an error: it is mistyped.
---@param options? table<string, any> fields of dgemma.Config
function M.set(options)
  for name, value in pairs(options or {}) do
    local default = defaults[name]
    if default == nil then
      local names = vim.tbl_keys(defaults)
      table.sort(names)
      error(('dgemma: no option %q; there are %s'):format(name, table.concat(names, ', ')), 0)
    end
    if type(value) ~= type(default) and not (name == 'keys' and value == false) then
      local words = 'dgemma: %s must be a %s, not %s'
      error(words:format(name, type(default), vim.inspect(value)), 0)
    end
  end
  local chosen = (options or {}).ghost
  if chosen and not vim.list_contains({ 'auto', 'native', 'own' }, chosen) then
    error(("dgemma: ghost must be 'auto', 'native' or 'own', not %q"):format(chosen), 0)
  end
  M.current = vim.tbl_deep_extend('force', vim.deepcopy(defaults), options or {})
end

return M
