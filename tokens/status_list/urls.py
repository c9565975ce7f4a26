"""The routes of the lists. No other routes of this app include them: a project does."""

from django.urls import path, re_path

from .views import aggregation, status_list

urlpatterns = [
    path("", aggregation, name="tokens_status_lists"),
    # One spelling of each number: the claim sub of a list is its address.
    re_path(r"^(?P<number>0|[1-9][0-9]{0,8})$", status_list, name="tokens_status_list"),
]
