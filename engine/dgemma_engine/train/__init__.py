"""The training recipe of the embedded model: corpus, tokenizer, token shards, training, export.

Nothing of it runs in the language server; it is installed so that users can train on their own
code. Start at ``recipe.toml``, which every stage reads one section of.
"""
