---@brief
---
--- dgemma-ls fills code in place with DiffusionGemma, offline. Found by |vim.lsp.enable()| on 0.11
--- and later: `vim.lsp.enable('dgemma_ls')`. Change it with `vim.lsp.config('dgemma_ls', {…})`.
return require('dgemma.server').config()
