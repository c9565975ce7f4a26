"""``manage.py switch_from_simplejwt``."""
