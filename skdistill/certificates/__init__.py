"""Certificates: statements about a student that hold with a stated confidence."""

from ._certificate import Certificate, Statement
from ._certify import certify

__all__ = ["Certificate", "Statement", "certify"]
