from tests.projects.bare.settings import *  # noqa: F403
