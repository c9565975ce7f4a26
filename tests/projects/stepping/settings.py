"""The settings of the tests in snapshot mode, with a wall clock that the test sets."""

from tests.projects.snapshot.settings import *  # noqa: F403
from tests.support.host_clocks import install

install()
