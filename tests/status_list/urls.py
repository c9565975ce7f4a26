from django.urls import include, path

import config.urls

urlpatterns = [path("status-lists/", include("tokens.status_list.urls")), *config.urls.urlpatterns]
