"""What tests of every part share: a test that takes `invoker` runs once in each mode."""

from __future__ import annotations

import pytest
from hypothesis import settings

from lab.sandbox.fence import Mode
from tests.modes import ran
from tests.modes.invoker import Invoker, Unavailable, invoker_for

# The same examples in every run, and no verdict on how busy the machine is.
settings.register_profile("lab", deadline=None, derandomize=True)
settings.load_profile("lab")

pytest_configure = ran.pytest_configure
pytest_collection_modifyitems = ran.pytest_collection_modifyitems


@pytest.fixture(scope="session", params=[*Mode], ids=str)
def invoker(request: pytest.FixtureRequest) -> Invoker:
    """Whoever invokes lab: root, a user with subordinate ids, a user without."""
    try:
        return invoker_for(request.param)
    except Unavailable as unavailable:
        pytest.skip(f"{request.param}: {unavailable}")
