SECRET_KEY = "a-secret-key-for-the-bare-project-that-is-long-enough-0123456789"
TOKENS_SECRET = "a-token-secret-for-the-bare-project-that-is-long-enough-0123456789"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "tests.projects.bare.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
STATIC_URL = "static/"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "rest_framework",
    "tokens",
]
MIDDLEWARE = [
    "django.middleware.csrf.CsrfViewMiddleware",
    "tokens.middleware.TokensMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "tokens.backends.SignInLimitBackend",
    "django.contrib.auth.backends.ModelBackend",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"]}
