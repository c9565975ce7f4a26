"""The command of the switch."""
