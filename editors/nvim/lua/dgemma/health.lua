-- :checkhealth dgemma
local M = {}

local health = vim.health
local OLDEST = 'nvim-0.10'

local function check_editor()
  health.start('dgemma: Neovim')
  if vim.fn.has(OLDEST) == 0 then
    health.error('Neovim is too old', { 'Use Neovim 0.10 or newer.' })
    return
  end
  health.ok(('Neovim %s'):format(tostring(vim.version())))
  local backend = require('dgemma.ghost').backend_name()
  if backend == 'native' and not vim.lsp.inline_completion then
    health.error("ghost = 'native' needs Neovim 0.12", { "Use ghost = 'auto'." })
  else
    local who = { native = 'vim.lsp.inline_completion', own = 'the plugin itself' }
    health.ok('ghost text is drawn by ' .. who[backend])
  end
  for _, other in ipairs({ 'copilot', 'codeium', 'supermaven-nvim' }) do
    if package.loaded[other] then
      health.warn(('%s also draws ghost text'):format(other), { 'Use one of them at a time.' })
    end
  end
end

local function check_keys()
  health.start('dgemma: keys')
  local maps, keys = require('dgemma.keys'), require('dgemma.config').current.keys
  if not keys then
    health.info('none are mapped (keys = false)')
    return
  end
  for name, lhs in vim.spairs(keys) do
    local mode, desc = maps.mode(name), maps.description(name)
    local map = lhs and vim.fn.maparg(lhs, mode, false, true) or {}
    if not lhs then
      health.info(('%s: no key'):format(name))
    elseif map.desc == desc then
      health.ok(('%s: %s'):format(name, lhs))
    elseif mode == 'n' then
      health.info(('%s: %s, once a server offers next edits'):format(name, lhs))
    elseif vim.tbl_isempty(map) then
      health.info(("%s: %s is not mapped; require('dgemma').setup() does it"):format(name, lhs))
    else
      local advice = { ("setup({ keys = { %s = '…' } }) chooses another."):format(name) }
      health.warn(('%s: %s is mapped to something else'):format(name, lhs), advice)
    end
  end
end

---@param cmd string[]
local function check_program(cmd)
  health.start('dgemma: server')
  if vim.fn.executable(cmd[1]) == 0 then
    health.error(('%s is not an executable on the PATH'):format(cmd[1]), {
      'pip install dgemma-ls',
      "or say where it is: require('dgemma').setup({ cmd = { '/path/to/dgemma-ls', '--stdio' } })",
    })
    return
  end
  health.ok(('command: %s'):format(table.concat(cmd, ' ')))
  local words = vim.list_extend(vim.list_slice(cmd, 1, #cmd), { '--version' })
  local done = vim.system(words, { text = true }):wait(20000)
  if done.code == 0 then
    health.ok(vim.trim(done.stdout))
  else
    health.error(
      '--version failed: ' .. vim.trim(done.stderr),
      { 'Start it in a shell to see why.' }
    )
  end
end

local function check_clients()
  local clients = vim.lsp.get_clients({ name = 'dgemma_ls' })
  if #clients == 0 then
    health.warn('no server is running', {
      "Put require('dgemma').setup() into your init.lua, then open a file.",
    })
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    health.ok(('client %d, %s, %d buffers'):format(client.id, client.offset_encoding, buffers))
    local has = client.server_capabilities
    local report = has.inlineCompletionProvider and health.ok or health.error
    report('inline completion: ' .. (has.inlineCompletionProvider and 'yes' or 'no'))
    local experimental = type(has.experimental) == 'table' and has.experimental or {}
    health.info('next edits: ' .. (experimental.copilotInlineEditProvider and 'yes' or 'no'))
    local commands = (has.executeCommandProvider or {}).commands or {}
    health.info('commands: ' .. (#commands > 0 and table.concat(commands, ', ') or 'none'))
  end
end

function M.check()
  check_editor()
  check_keys()
  local configured = vim.lsp.config and vim.lsp.config.dgemma_ls or nil
  local cmd = configured and configured.cmd or require('dgemma.config').current.cmd
  if type(cmd) == 'table' then
    check_program(cmd)
  end
  check_clients()
end

return M
