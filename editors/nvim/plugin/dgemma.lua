if vim.g.loaded_dgemma then
  return
end
vim.g.loaded_dgemma = true

local function call(module, name)
  return function()
    return require(module)[name]()
  end
end

for plug, name in pairs({
  ['accept'] = 'accept',
  ['accept-word'] = 'accept_word',
  ['accept-line'] = 'accept_line',
  ['next'] = 'next',
  ['previous'] = 'previous',
  ['dismiss'] = 'dismiss',
  ['request'] = 'request',
}) do
  vim.keymap.set('i', ('<Plug>(dgemma-%s)'):format(plug), call('dgemma.ghost', name))
end
vim.keymap.set('x', '<Plug>(dgemma-rewrite)', call('dgemma.actions', 'rewrite_selection'))
vim.keymap.set('x', '<Plug>(dgemma-fill)', call('dgemma.actions', 'fill_selection'))
vim.keymap.set('n', '<Plug>(dgemma-fix)', call('dgemma.actions', 'fix_document'))
vim.keymap.set('n', '<Plug>(dgemma-next-edit)', call('dgemma.next_edit', 'request'))
vim.keymap.set('n', '<Plug>(dgemma-accept-edit)', call('dgemma.next_edit', 'accept'))
vim.keymap.set('n', '<Plug>(dgemma-dismiss-edit)', call('dgemma.next_edit', 'dismiss'))

vim.api.nvim_create_user_command('Dgemma', function(command)
  require('dgemma.command').run(command)
end, {
  nargs = '+',
  range = true,
  desc = 'dgemma-ls: rewrite, fill, fix, cancel, next, toggle, status, restart, log',
  complete = function(...)
    return require('dgemma.command').complete(...)
  end,
})

local group = vim.api.nvim_create_augroup('dgemma', {})
vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'dgemma_ls' then
      require('dgemma.server').on_attach(client, event.buf)
    end
  end,
})
