"""
A project with many doors: views of other packages, and of its own, that ask for a password.

The limit on sign-ins must hold at each of them, and at all of them together.
"""
