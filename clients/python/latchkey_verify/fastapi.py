"""For FastAPI: a dependency that returns the token, and a lock in the OpenAPI page."""

import json

from fastapi import HTTPException, Request
from fastapi.security import HTTPBearer

from .errors import VerifyError
from .verifier import Token, Verifier, credential_of


class TokenRequired(HTTPBearer):
    def __init__(self, verifier: Verifier) -> None:
        super().__init__(auto_error=False, scheme_name="Latchkey", bearerFormat="JWT")
        self.verifier = verifier

    async def __call__(self, request: Request) -> Token:  # type: ignore[override]
        try:
            return await self.verifier.averify(credential_of(request.headers.get("Authorization")))
        except VerifyError as error:
            detail = json.loads(error.body)["detail"]
            raise HTTPException(error.status, detail, dict(error.headers)) from None
