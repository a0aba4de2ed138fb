"""Every command of snat-masquerade is needed, and every value that it expects is looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.slow
def test_nothing_survives(assert_nothing_survives: Callable[[str], None]) -> None:
    assert_nothing_survives("snat-masquerade")
