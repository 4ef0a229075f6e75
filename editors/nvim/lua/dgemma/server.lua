local method = require('dgemma.method')

local M = {}

local NAME = 'dgemma_ls'
local VERSION = '0.1.0'
local ROOT_MARKERS = { '.git' }
local MINUTE_MS = 60 * 1000
local STOP_PATIENCE_MS = 2000
local SIGTERM = 15 -- sent by Neovim itself when it stops a server by force

---Which buffers each client served, to give them to the one that follows it.
---@type table<integer, { config: vim.lsp.ClientConfig, buffers: table<integer, true> }>
local served = {}

---Clients that were told to stop so that others can follow.
---@type table<integer, true?>
local restarting = {}

---Requests of commands that are not answered yet, with their clients.
---@type table<integer, integer>
local running = {}

---When servers died, in milliseconds.
---@type integer[]
local deaths = {}

---@param message string
---@param level integer of vim.log.levels
local function say(message, level)
  vim.notify('dgemma: ' .. message, level)
end

---One server for all projects, as each holds a model.
---@param client vim.lsp.Client
---@param config vim.lsp.ClientConfig
---@return boolean
local function reuse_client(client, config)
  return client.name == config.name and not method.is_stopped(client)
end

---Tell a server of the project of a buffer that it did not start in.
---@param client vim.lsp.Client
---@param buf integer
local function add_project(client, buf)
  local workspace = client.server_capabilities.workspace or {}
  local root = vim.fs.root(buf, ROOT_MARKERS)
  if not root or not (workspace.workspaceFolders or {}).supported then
    return
  end
  local folder = { uri = vim.uri_from_fname(root), name = root }
  client.workspace_folders = client.workspace_folders or {}
  for _, known in ipairs(client.workspace_folders) do
    if known.uri == folder.uri then
      return
    end
  end
  table.insert(client.workspace_folders, folder)
  local params = { event = { added = { folder }, removed = {} } }
  method.notify(client, 'workspace/didChangeWorkspaceFolders', params)
end

---The words of |vim.lsp.Config|, from what the user set up.
---@return vim.lsp.Config
function M.config()
  local config = require('dgemma.config').current
  return {
    name = NAME,
    cmd = config.cmd,
    root_markers = ROOT_MARKERS,
    reuse_client = reuse_client,
    init_options = vim.tbl_extend('keep', config.init_options, {
      editorInfo = { name = 'Neovim', version = tostring(vim.version()) }, -- asks for its status
      editorPluginInfo = { name = 'dgemma.nvim', version = VERSION },
    }),
    capabilities = vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), {
      textDocument = { inlineCompletion = { dynamicRegistration = false } }, -- or it offers a popup
    }),
    on_exit = M.on_exit,
    handlers = {
      didChangeStatus = function(_, result)
        require('dgemma.status').on_change(result)
      end,
    },
  }
end

---Start the server for every buffer of a file, now and later.
function M.enable()
  local config = M.config()
  if vim.lsp.config then
    vim.lsp.config(NAME, config)
    vim.lsp.enable(NAME)
    return
  end
  local function start(buf) -- 0.10
    if vim.bo[buf].buftype == '' and vim.bo[buf].filetype ~= '' then
      config.root_dir = vim.fs.root(buf, ROOT_MARKERS)
      vim.lsp.start(config, { bufnr = buf, reuse_client = reuse_client })
    end
  end
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('dgemma.start', {}),
    callback = function(event)
      start(event.buf)
    end,
  })
  vim.tbl_map(start, vim.tbl_filter(vim.api.nvim_buf_is_loaded, vim.api.nvim_list_bufs()))
end

---@param client vim.lsp.Client
---@param buf integer
function M.on_attach(client, buf)
  served[client.id] = served[client.id] or { config = client.config, buffers = {} }
  served[client.id].buffers[buf] = true
  add_project(client, buf)
  require('dgemma.ghost').attach(client, buf)
  require('dgemma.next_edit').attach(client, buf)
end

---The client of a buffer, nil when there is none.
---@param buf? integer the current one by default
---@return vim.lsp.Client?
function M.client(buf)
  return vim.lsp.get_clients({ name = NAME, bufnr = buf or vim.api.nvim_get_current_buf() })[1]
end

---Run a command of the server; say so if there is no server, or if it does not know the command.
---@param command string
---@param argument table
---@param buf integer
function M.execute(command, argument, buf)
  local client = M.client(buf)
  if not client then
    say('no server is attached to this buffer; see :checkhealth dgemma', vim.log.levels.WARN)
    return
  end
  local provider = client.server_capabilities.executeCommandProvider or {}
  if not vim.list_contains(provider.commands or {}, command) then
    say(('this server has no command %s'):format(command), vim.log.levels.WARN)
    return
  end
  local params = { command = command, arguments = { argument } }
  local id
  id = method.request(client, 'workspace/executeCommand', params, function(err)
    running[id] = nil
    if err then
      say(err.message, vim.log.levels.ERROR)
    end
  end, buf)
  if id then
    running[id] = client.id
  end
end

---Cancel the commands that are running. The server then changes nothing for them.
function M.cancel()
  local any = false
  for id, client_id in pairs(running) do
    local client = vim.lsp.get_client_by_id(client_id)
    if client then
      method.cancel(client, id)
      any = true
    end
  end
  running = {}
  say(any and 'cancelled' or 'nothing is running', vim.log.levels.INFO)
end

---Stop the servers of all buffers, and start one for each buffer that they served.
function M.restart()
  local clients = vim.lsp.get_clients({ name = NAME })
  if #clients == 0 then
    deaths = {}
    M.enable()
    return
  end
  for _, client in ipairs(clients) do
    restarting[client.id] = true
    method.stop(client, false)
    vim.defer_fn(function()
      if restarting[client.id] then
        method.stop(client, true)
      end
    end, STOP_PATIENCE_MS)
  end
end

---@param before? { config: vim.lsp.ClientConfig, buffers: table<integer, true> }
function M.start_again(before)
  for buf in pairs(before and before.buffers or {}) do
    if vim.api.nvim_buf_is_loaded(buf) then
      vim.lsp.start(before.config, { bufnr = buf, reuse_client = reuse_client })
    end
  end
end

---A server ended. One that died comes back, but not for ever.
---@param code integer
---@param signal integer
---@param client_id integer
function M.on_exit(code, signal, client_id)
  local before = served[client_id]
  served[client_id] = nil
  if restarting[client_id] then
    restarting[client_id] = nil
    vim.schedule(function()
      M.start_again(before)
      say('restarted', vim.log.levels.INFO)
    end)
    return
  end
  local wanted = (code == 0 and signal == 0) or signal == SIGTERM
  if wanted or not before or vim.v.exiting ~= vim.NIL then
    return
  end
  local now = vim.uv.now()
  deaths = vim.tbl_filter(function(at)
    return now - at < MINUTE_MS
  end, deaths)
  table.insert(deaths, now)
  local how = signal ~= 0 and ('signal %d'):format(signal) or ('exit code %d'):format(code)
  vim.schedule(function()
    require('dgemma.status').forget()
    if #deaths > require('dgemma.config').current.max_restarts then
      local words = 'the server ended (%s) %d times within a minute and stays off; '
        .. ':Dgemma log says why, :Dgemma restart tries again'
      say(words:format(how, #deaths), vim.log.levels.ERROR)
      return
    end
    M.start_again(before)
    say(('the server ended (%s) and was started again'):format(how), vim.log.levels.WARN)
  end)
end

return M
