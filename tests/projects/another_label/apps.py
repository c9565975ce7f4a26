from tokens.apps import TokensConfig


class LatchkeyConfig(TokensConfig):
    label = "latchkey"
