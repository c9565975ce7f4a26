"""JWT authentication for Django and Django REST framework with tokens that can be revoked."""

__version__ = "1.0.0rc1"

# Packages of this folder that not every project needs. Each can be deleted. TokensConfig.ready calls
# set_up() of each that is there.
OPTIONAL = ("snapshot", "metrics", "daily", "connections")
# Those that are apps of their own, which a project lists in INSTALLED_APPS. They can be deleted too.
OPTIONAL_APPS = ("feed", "status_list", "takeover", "simplejwt_names", "tickets")
