"""What is refused although its signature is good: deny, is_denied, prunable."""

from .entries import PRUNE_SAFETY_MARGIN, denied, deny, find, is_denied, prunable

__all__ = ["PRUNE_SAFETY_MARGIN", "denied", "deny", "find", "is_denied", "prunable"]
