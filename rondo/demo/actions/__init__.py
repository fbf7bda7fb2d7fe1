"""The demo's verbs: :mod:`~rondo.demo.actions.loading` loads it, :mod:`~rondo.demo.actions.asking` asks for its removal
and :mod:`~rondo.demo.actions.clearing` does that. Pages import the second alone, which needs no engine."""
