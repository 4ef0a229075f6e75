-- What the server is doing, for the status line and for :Dgemma status.
local server = require('dgemma.server')

local M = {}

---@type dgemma.Status?
local last

---Take a `didChangeStatus` of the server.
---@param status dgemma.Status
function M.on_change(status)
  last = status
  vim.schedule(function()
    vim.cmd.redrawstatus({ bang = true })
  end)
end

---Forget what a server said that is no more.
function M.forget()
  last = nil
end

---Empty where no server is attached; `dgemma`, and what is not as usual.
---@return string
function M.component()
  if not server.client() then
    return ''
  end
  if vim.g.dgemma_paused then
    return 'dgemma off'
  end
  if last and last.kind and last.kind ~= 'Normal' then
    return ('dgemma %s'):format((last.message or '') ~= '' and last.message or last.kind:lower())
  end
  return last and last.busy and 'dgemma …' or 'dgemma'
end

---@param result table
---@return string
local function describe(result)
  local rows = {}
  for name, value in vim.spairs(result) do
    table.insert(
      rows,
      ('%s: %s'):format(name, type(value) == 'string' and value or vim.inspect(value))
    )
  end
  return table.concat(rows, '\n')
end

---Ask the server how it is, and show the answer.
function M.show()
  local client, buf = server.client(), vim.api.nvim_get_current_buf()
  if not client then
    vim.notify('dgemma: no server is attached to this buffer; see :checkhealth dgemma')
    return
  end
  require('dgemma.method').request(client, 'dgemma/status', vim.empty_dict(), function(err, result)
    local known = last and describe(last) or 'attached'
    vim.notify('dgemma\n' .. (not err and type(result) == 'table' and describe(result) or known))
  end, buf)
end

return M
