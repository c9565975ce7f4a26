from django.contrib.auth.hashers import MD5PasswordHasher


class NotingHasher(MD5PasswordHasher):
    """A fast hasher that notes which passwords were checked, against a hash or against nothing."""

    noted: set[str] = set()

    def encode(self, password: str, salt: str) -> str:
        self.noted.add(password)
        return super().encode(password, salt)
