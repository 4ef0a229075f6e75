"""Filling spans between known texts, and rewriting them.

In reading order:

- ``infiller.py``: a request from start to end; ``request.py`` its arguments, ``parts.py`` what
  belongs to a model, ``settings.py`` what suits a checkpoint.
- Planning, without torch: ``layout.py`` (what stands before the canvas), ``healing.py`` (where the
  text before the gap is cut), ``planner.py`` (texts → canvases).
- Proposing: ``drafts.py`` (``copy.py``, the document's own best match; ``causal.py``, the prefix
  continued; ``bridge.py``, both in one; earlier suggestions), ``free.py`` (written on, then cut),
  ``which_lengths.py`` (lengths that get a canvas) and ``lengths.py`` (how long the model thinks the
  span is), ``batch.py`` (their canvases), ``fill.py`` on ``denoise.py`` (the loop with clamps).
  ``vocabulary.py`` says which tokens may stand where, ``slots.py`` which texts.
- Choosing: ``judging.py`` on ``select.py`` (the encoder as judge), ``document.py`` (the document's
  own statistics, blended in), ``seams.py`` and ``proposals.py`` (the order), ``showing.py`` and
  ``repair.py`` (what the caller's check refuses), ``brackets.py``, ``automata.py`` and
  ``constraints.py`` (the most probable text that balances, or that a slot takes).
- Other requests: ``rewriter.py`` on ``edit.py`` (a span at a strength), ``joint.py`` (several
  gaps).
"""
