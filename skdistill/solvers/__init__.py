"""Solvers: how trees are grown, networks trained, leaves refitted, and coefficients and landmarks found.

They are given rows as numbers, targets, weights and a loss, and return scorers or their parts. Students choose among
them; nothing here is public.
"""
