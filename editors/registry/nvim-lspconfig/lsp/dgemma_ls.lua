---@brief
---
--- https://pypi.org/project/dgemma-ls
---
--- dgemma-ls fills code in place with DiffusionGemma, offline. It is installed with
--- `pip install dgemma-ls`, and shows ghost text on Neovim 0.12:
---
--- ```lua
--- vim.lsp.enable('dgemma_ls')
--- vim.lsp.inline_completion.enable()
--- vim.keymap.set('i', '<Tab>', function()
---   if not vim.lsp.inline_completion.get() then
---     return '<Tab>'
---   end
--- end, { expr = true })
--- ```

---@type vim.lsp.Config
return {
  cmd = { 'dgemma-ls', '--stdio' },
  root_markers = { '.git' },
}
