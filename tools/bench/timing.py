"""Times of one thing done again and again, and how two contenders compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Timing:
    """One star made and dropped; all in seconds.

    ``teardown_s`` lasts until its last descriptor is closed, ``gone_s`` from there until the kernel
    has destroyed the namespaces. ``plan_s`` is the part of ``setup_s`` that was planning, None
    for who plans nothing.
    """

    setup_s: float
    teardown_s: float
    gone_s: float
    plan_s: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many times longer ours took than the floor, which was timed in turns with it."""

    ratio_of_medians: float
    median_of_ratios: float


def compare(ours: Sequence[float], floor: Sequence[float]) -> Comparison:
    """Compare two contenders by their times, in seconds; the n-th of each were neighbours in time.

    The median of the neighbours' ratios is what a machine whose speed drifts disturbs least.
    """
    return Comparison(
        ratio_of_medians=median(ours) / median(floor),
        median_of_ratios=median(our / least for our, least in zip(ours, floor, strict=True)),
    )
