"""Filling a span between known texts.

In reading order: ``settings.py`` (what suits a checkpoint), ``planner.py`` (texts → canvases; no
torch), ``fill.py`` (the denoising loop with clamps), ``copy.py`` (the document's own best match),
``select.py`` (the encoder as judge of both).
``Engine.infill`` puts them together.
"""
