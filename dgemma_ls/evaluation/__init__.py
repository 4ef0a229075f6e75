"""How well gaps are filled: cases out of held-out documents, systems, metrics, tables.

In reading order: ``cases.py`` (what is asked), ``systems.py`` (the engine's ways to answer),
``baselines.py`` on ``ngrams.py`` (ways without a model), ``metrics.py`` (what an answer is worth),
``runner.py`` (every case, every system), ``statistics.py`` (how sure that is), ``report.py`` (both
summed up), ``tables.py`` and ``picture.py`` (how it is shown).
"""
