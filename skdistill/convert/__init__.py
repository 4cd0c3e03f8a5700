"""The one reader of foreign models: what is inside a wrapper, and what a fitted model of another library is made of."""

from ._wrappers import Unwrapped, is_distilled, members_of, unwrap

__all__ = ["Unwrapped", "is_distilled", "members_of", "unwrap"]
