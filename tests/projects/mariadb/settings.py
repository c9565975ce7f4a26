import os

import pymysql

from tests.projects.bare.settings import *  # noqa: F403

# Django's minimum is that of mysqlclient, in whose place PyMySQL is used here.
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": os.environ["NAME"],
        "USER": "root",
        "HOST": os.environ["SOCKET"],
    }
}
