-- The command :Dgemma.
local M = {}

---@param command vim.api.keyset.create_user_command.command_args
---@return [integer, integer]? lines
local function lines_of(command)
  return command.range > 0 and { command.line1, command.line2 } or nil
end

---@type table<string, fun(command: table, rest: string)>
local subcommands = {
  rewrite = function(command, rest)
    local lines = lines_of(command) or { command.line1, command.line1 }
    require('dgemma.actions').rewrite_lines(lines, rest ~= '' and rest or nil)
  end,
  fill = function(command)
    require('dgemma.actions').fill(lines_of(command))
  end,
  fix = function()
    require('dgemma.actions').fix_document()
  end,
  cancel = function()
    require('dgemma.server').cancel()
  end,
  next = function()
    require('dgemma.next_edit').request()
  end,
  toggle = function()
    require('dgemma.ghost').toggle()
  end,
  status = function()
    require('dgemma.status').show()
  end,
  restart = function()
    require('dgemma.server').restart()
  end,
  log = function()
    local get = vim.lsp.log and vim.lsp.log.get_filename or vim.lsp.get_log_path
    vim.cmd.tabedit(vim.fn.fnameescape(get()))
  end,
}

---@return string[]
local function names()
  local all = vim.tbl_keys(subcommands)
  table.sort(all)
  return all
end

---@param command vim.api.keyset.create_user_command.command_args
function M.run(command)
  local name, rest = command.args:match('^(%S+)%s*(.*)$')
  local subcommand = subcommands[name]
  if not subcommand then
    local words = 'dgemma: no command %q; there are %s'
    vim.notify(words:format(name, table.concat(names(), ', ')), vim.log.levels.ERROR)
    return
  end
  subcommand(command, rest)
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  if line:match('Dgemma!?%s+%S+%s') then
    return {}
  end
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, names())
end

return M
