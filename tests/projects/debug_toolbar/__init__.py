"""A project with django-debug-toolbar, which watches every query."""
