"""The settings of a bare project: what startproject makes, DRF and djangorestframework-simplejwt."""

from tests import settings as project

SECRET_KEY = project.SECRET_KEY
ALLOWED_HOSTS = ["localhost"]
DATABASES = project.DATABASES
AUTH_USER_MODEL = project.AUTH_USER_MODEL
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "accounts",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "static/"
SIMPLE_JWT = {"SIGNING_KEY": SECRET_KEY}
ROOT_URLCONF = "benchmarks.bare_urls"
