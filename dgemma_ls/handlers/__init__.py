"""The protocol's side of each group of features: a module each, with one ``register``.

A handler takes what it needs while its message is being received, and returns the rest as a
coroutine (:func:`~dgemma_ls.protocol.starts_at_once`).
"""
