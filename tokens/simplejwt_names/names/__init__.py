"""
The modules of ``rest_framework_simplejwt``, by the names that its documentation and its users import.

``__version__`` is that of the release whose names these are.
"""

__version__ = "5.5.1"
