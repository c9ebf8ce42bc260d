"""Forms: from what a reader enters to experiments and back, without Streamlit wherever possible.

``fields`` says how each setting is asked for, ``draft`` turns entries into an experiment, ``applicability`` says what
goes together, ``command`` writes the shell command; ``widgets`` and ``session`` are the Streamlit side.
"""
