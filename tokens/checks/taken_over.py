"""What an optional app of this package reads or provides in another package's place."""

_names: set[str] = set()


def take_over(*names: str) -> None:
    """Let no check report these settings and packages as left over."""
    _names.update(names)


def is_taken_over(name: str) -> bool:
    """Return whether an optional app reads the setting, or provides the package, of this name."""
    return name in _names
