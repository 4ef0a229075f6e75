"""How DiffusionGemma computes, in the order in which to read it.

1. ``layers.py``       RMSNorm, the gated MLP, self-conditioning.
2. ``attention.py``    rotary embedding, the two kinds of attention layers, masks.
3. ``moe.py``          the router and its experts.
4. ``transformer.py``  one layer, then the whole model in its two modes: the *encoder* pass reads a
   prefix causally and leaves keys and values behind; the *decoder* pass looks at a whole canvas
   in both directions, reads those keys and values, and predicts every token of the canvas.
5. ``branches.py``     several continuations of one prefix, read by the encoder as a tree.

One set of weights serves both modes; only ``layer_scalar`` exists twice. Nothing in here knows
about text, sampling or caches: token ids and tensors only. Shapes: B canvases, C canvas length,
S tokens of one pass, P cached tokens, D width, H heads, V vocabulary.
"""
