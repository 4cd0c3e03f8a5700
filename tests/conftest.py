"""Drawn examples are the same in every run, and no test is timed: machines are shared."""

from hypothesis import settings

settings.register_profile("calm", deadline=None, derandomize=True)
settings.load_profile("calm")
