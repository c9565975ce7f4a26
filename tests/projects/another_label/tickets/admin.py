from django.contrib import admin

from .models import Session

admin.site.register(Session)
