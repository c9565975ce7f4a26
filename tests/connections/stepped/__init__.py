"""Connections that are judged step by step, in the thread of the test."""
