"""The tests' settings in the snapshot mode, for the processes of a site."""

from tests.settings import *  # noqa: F403

TOKENS_DENYLIST_MODE = "snapshot"
