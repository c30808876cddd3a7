from __future__ import annotations

import pytest

from support.upstream import Upstream


def scripted_upstream():
    with Upstream() as upstream:
        yield upstream


# Three providers are enough for every test; each file starts its own.
upstream = pytest.fixture(scope="module", name="upstream")(scripted_upstream)
second = pytest.fixture(scope="module", name="second")(scripted_upstream)
third = pytest.fixture(scope="module", name="third")(scripted_upstream)


@pytest.fixture(autouse=True)
def fresh_scripts(request):
    """Each test starts with upstreams that have seen nothing, and a script of its own that failed fails it."""
    used = [request.getfixturevalue(name) for name in ("upstream", "second", "third") if name in request.fixturenames]
    for one in used:
        one.reset()
    yield
    for one in used:
        assert not one.problems, one.problems
