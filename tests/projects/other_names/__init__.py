"""Projects whose users are named by a UUID, by a number, or by an e-mail address."""
