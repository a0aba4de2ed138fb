"""Whatever process of a run is killed, and whenever: nothing is left."""

from __future__ import annotations

from random import Random

import pytest

from tests.modes.invoker import Invoker
from tests.run.killing import LIMIT, Victim, kill

KILLS = 5


@pytest.mark.parametrize("victim", [*Victim], ids=lambda victim: victim.name.lower())
def test_nothing_is_left_of_a_run_that_is_killed(invoker: Invoker, victim: Victim) -> None:
    random = Random(f"{invoker.mode} {victim}")
    seconds = []
    for _ in range(KILLS):
        age = victim.moment(random)
        aftermath = kill(invoker, victim, age)
        assert aftermath.left == (), f"{victim} was killed at {age:.4f} s"
        seconds.append(aftermath.seconds)
    # not each of them: a machine busy with other tests lets even the dead wait
    assert min(seconds) < LIMIT
