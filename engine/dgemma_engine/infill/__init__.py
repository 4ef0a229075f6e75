"""Filling a span between known texts.

In reading order: ``infiller.py`` (a request from start to end), ``settings.py`` (what suits a
checkpoint), ``planner.py`` (texts → canvases; no torch). Three proposers: ``fill.py`` (the
denoising loop with clamps), ``copy.py`` (the document's own best match), ``causal.py`` (the prefix
continued). One judge: ``select.py``. ``vocabulary.py`` says which tokens may stand where.
"""
