"""Chance with little luck in it: draws whose shares come out nearly as planned in every group of some size.

A demo of 2,400 episodes must show what it was made to show at any seed. Independent draws would move a group
of 60 people by six points either way; the draws here are spread evenly over each group instead. They are for
demo data only: numbers made this way vary less than real ones, and no test of an interval may rest on them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.demo.columns import Floats, Ints

GOLDEN: Final = 0.6180339887498949


def stream(seed: int, stage: int, block: int = 0) -> np.random.Generator:
    """Return the generator of one stage and block: a stage draws the same whatever the others do."""
    return np.random.default_rng([seed, stage, block])


def even_uniform(rng: np.random.Generator, *keys: npt.NDArray[np.generic]) -> Floats:
    """Uniform draws on [0, 1), spread evenly inside every run of equal keys and over neighbouring runs.

    Rows are ordered by `keys` (the first is the slowest), at random among equals, and get the additive
    golden-ratio sequence from a random start.

    Parameters
    ----------
    keys : arrays of one length; the groups in which shares should come out as planned, then what they
        should be even over (time).

    References
    ----------
    Weyl 1916, doi:10.1007/BF01475864 (equidistribution of multiples of an irrational number).
    """
    size = keys[0].size
    order = np.lexsort((rng.random(size), *reversed(keys)))
    result = np.empty(size)
    result[order] = (rng.random() + GOLDEN * np.arange(size)) % 1.0
    return result


def even_normal(rng: np.random.Generator, *keys: npt.NDArray[np.generic]) -> Floats:
    """Standard normal draws made from `even_uniform`."""
    from scipy.special import ndtri

    result: Floats = ndtri(np.clip(even_uniform(rng, *keys), 1e-6, 1 - 1e-6))
    return result


def pick(uniform: Floats, shares: Floats) -> Ints:
    """Return the position 0 .. k-1 that each uniform draw falls on.

    Parameters
    ----------
    shares : shape (k,) for everybody or (n, k) by row; each row sums to 1.
    """
    edges = np.cumsum(np.broadcast_to(shares, (uniform.size, shares.shape[-1])), axis=1)[:, :-1]
    return np.asarray(np.sum(uniform[:, None] >= edges, axis=1), dtype=np.int64)
