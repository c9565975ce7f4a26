"""The settings of the site with open connections."""

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.connections.served_urls"
