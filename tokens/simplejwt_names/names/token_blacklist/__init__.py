"""The app ``token_blacklist``, whose tables follow the sessions. ``records`` says how."""
