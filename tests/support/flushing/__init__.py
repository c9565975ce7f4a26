"""An app whose command ``flush`` takes milliseconds. Django's TestCase calls it after each test with transactions."""
