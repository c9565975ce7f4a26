"""
A site that begins with djangorestframework-simplejwt and goes on with this app, on one database.

``former_settings`` and ``our_settings`` are its two states. TAKEOVER_VARIANT is "hs256": SECRET_KEY
signs, and no refresh token rotates; or "rs256": USER_ID_FIELD, rotation and a key of its own, which
TAKEOVER_KEY names. TAKEOVER_ATOMIC turns ATOMIC_REQUESTS on.
"""
