---@meta

---How the plugin behaves; every field may be left out of what |dgemma.setup()| is given.
---@class (exact) dgemma.Config
---@field cmd string[] The words that start the server.
---@field init_options dgemma.ServerOptions What the server is told when it starts.
---@field ghost 'auto'|'native'|'own' Who draws ghost text: Neovim (0.12), or this plugin.
---@field debounce_ms integer Rest after a key or change before the plugin asks the server.
---@field next_edit boolean Whether next edits are shown, where the server can.
---@field keys dgemma.Keys|false Keys; false maps none.
---@field strength number How much a rewrite may change, above 0 and up to 1.
---@field max_restarts integer How often within a minute a server that died is started again.

---@class (exact) dgemma.Keys
---@field accept string|false
---@field accept_word string|false
---@field accept_line string|false
---@field next string|false
---@field previous string|false
---@field dismiss string|false
---@field accept_edit string|false In Normal mode: goes to the next edit, then takes it.
---@field dismiss_edit string|false In Normal mode.

---The server's `initializationOptions`; see its documentation for more.
---@class dgemma.ServerOptions
---@field model? string `embedded`, or the folder of a checkpoint.
---@field device? string `auto`, `cpu`, `cuda`, …
---@field n_candidates? integer
---@field debounce_ms? integer
---@field deadline_ms? integer

---What the server last said of itself with `didChangeStatus`.
---@class (exact) dgemma.Status
---@field busy boolean
---@field message string
---@field kind 'Normal'|'Warning'|'Error'|'Inactive'

---A line and a place in it at the moment a suggestion was asked for.
---@class (exact) dgemma.Anchor
---@field row integer From 0.
---@field col integer The cursor's byte, from 0.
---@field line string
---@field n_lines integer Of the buffer.

---A suggestion that is on the screen, or could be.
---@class (exact) dgemma.Suggestion
---@field text string
---@field from integer The first byte in the anchor's line that it replaces.
---@field to integer The byte after the last one.
---@field command? lsp.Command What the server wants to be told once it is taken.

---What draws ghost text.
---@class (exact) dgemma.Backend
---@field attach fun(client: vim.lsp.Client, buf: integer)
---@field set_enabled fun(enabled: boolean, buf?: integer)
---@field accept fun(part: fun(text: string): string): boolean
---@field select fun(count: integer): boolean
---@field dismiss fun(): boolean
---@field request fun(): boolean

---An item of the answer to `textDocument/copilotInlineEdit`.
---@class (exact) lsp.InlineEdit
---@field text string
---@field range lsp.Range
---@field textDocument? { uri: string, version: integer? }
---@field command? lsp.Command What the server wants to be told once it is taken.

---A next edit that is shown.
---@class (exact) dgemma.NextEdit
---@field item lsp.InlineEdit
---@field from [integer, integer] Row and byte of its first character, from 0.
---@field to [integer, integer] Row and byte after its last; the row may be the number of lines.
---@field lines string[] The new text.
---@field version integer Of the document that it was computed for.
