from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tests.projects.another_label.tickets"
    label = "tokens"
