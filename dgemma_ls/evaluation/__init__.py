"""How well a model does its work: what is asked, what an answer is worth, how sure that is.

Filling gaps, in reading order: ``cases.py`` (what is asked), ``systems.py`` (the engine's ways to
answer), ``baselines.py`` on ``ngrams.py`` and ``untrained.py`` (ways without what was learnt),
``metrics.py`` (what an answer is worth), ``runner.py`` (one case, every system), ``statistics.py``
(how sure that is), ``report.py`` (both summed up), ``tables.py`` and ``picture.py`` (how it is
shown).

Other tasks, one module each: ``lengths.py``, ``judging.py``, ``next_token.py`` and ``typos.py`` on
``reading.py``, ``humaneval.py`` on ``sandbox.py``, whose inside is ``confined.py``. Their figures
meet in ``summary.py``.

What all share: ``rows.py`` (reading data), ``pool.py`` (several processes), ``journal.py`` (going
on with a run), ``progress.py``, ``layout.py``.
"""
