local M = {}

---Configure and start: the server for all files, and the keys. Without it,
---`vim.lsp.enable('dgemma_ls')` starts the server with defaults and maps no key.
---@param options? table<string, any> fields of dgemma.Config
function M.setup(options)
  require('dgemma.config').set(options)
  require('dgemma.keys').map()
  require('dgemma.server').enable()
end

---A few characters for the status line, empty where the server is not attached.
---@return string
function M.status()
  return require('dgemma.status').component()
end

return M
