"""What the forms of the page "My sessions" do, with and without scripts."""

from contextlib import suppress
from math import ceil
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponseRedirect
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from .. import clock, sessions
from ..branding import home_url
from ..client import client_of
from ..errors import TokenError
from ..models import EndReason, Session
from . import addresses, cookies, time_zones
from .cookie_views import refresh_by_cookie
from .endpoint import SIGNED_IN
from .http import body_refusal
from .pages import Page, redirect_target, sign_in_page
from .renderers import page_context
from .serializers import EmptySerializer
from .session_cards import sign_done, title_of
from .session_views import end_others
from .sign_in_form import form_data


class RefreshesByCookie(Page):
    """A page whose form also works when the access cookie has expired: it then refreshes."""

    serializer_class = EmptySerializer
    pair: sessions.TokenPair | None = None

    def refresh(self, request: Request) -> sessions.TokenPair:
        try:
            self.pair = refresh_by_cookie(request)
        except TokenError as error:
            self.deletes_cookies = True
            raise body_refusal(error) from None
        return self.pair

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        if self.pair is not None and not self.deletes_cookies:
            cookies.set_pair(response, self.pair)
        return super().finalize_response(request, response, *args, **kwargs)


class ContinuePage(RefreshesByCookie):
    """Refresh the tokens of a browser without scripts, and go back to the page it wanted."""

    def post(self, request: Request) -> Any:
        self.refresh(request)
        return HttpResponseRedirect(redirect_target(request))


class SessionsPage(RefreshesByCookie):
    """End sessions, name a device, and choose a time zone."""

    def get(self, request: Request) -> Any:
        return HttpResponseRedirect(_list(request))

    def post(self, request: Request) -> Any:
        cookies.require_csrf(request)
        user, sid = self._caller(request)
        form = form_data(request)
        match form.get("do"):
            case "end":
                return self._end(request, user, sid)
            case "others":
                return self._end_others(request, user, sid)
            case "everywhere":
                return self._end_all(request, user)
            case "name":
                return self._name(request, user)
            case "zone":
                return self._choose_zone(request, user)
        return HttpResponseRedirect(_list(request))

    def _caller(self, request: Request) -> tuple[Any, UUID | None]:
        """Return the user and the id of the session, refreshed if need be. Raises Unauthorized."""
        # Not by DRF, which would refuse an access token that has expired.
        for authentication in SIGNED_IN:
            with suppress(AuthenticationFailed):
                if found := authentication().authenticate(request):
                    user, auth = found
                    getattr(user, "is_active", None)  # In snapshot mode, this asks the database.
                    return user, getattr(auth, "sid", None)
        pair = self.refresh(request)
        return pair.session.user, pair.session.pk

    def _end(self, request: Request, user: Any, sid: UUID | None) -> Any:
        session = _find(request, user)
        if session is None:
            return _back(request, user, "gone")
        if not _is_confirmed(request):
            question = _("End the session of %(device)s?") % {"device": title_of(session)}
            if session.pk == sid:
                question = _("Sign out on this device?")
            return self._ask(request, question, _("End the session"))
        sessions.end([session], reason=EndReason.REVOKED, client=client_of(request))
        return self._sign_out(request) if session.pk == sid else _back(request, user, "ended")

    def _end_others(self, request: Request, user: Any, sid: UUID | None) -> Any:
        if not _is_confirmed(request):
            question = _("Sign out all other devices?")
            return self._ask(request, question, _("Sign out all other devices"))
        end_others(request, user=user, sid=sid)
        return _back(request, user, "others")

    def _end_all(self, request: Request, user: Any) -> Any:
        if not _is_confirmed(request):
            question = _("Sign out everywhere, on this device too?")
            return self._ask(request, question, _("Sign out everywhere"))
        sessions.end_all(user, reason=EndReason.LOGOUT, client=client_of(request))
        return self._sign_out(request)

    def _name(self, request: Request, user: Any) -> Any:
        session = _find(request, user)
        if session is None:
            return _back(request, user, "gone")
        sessions.name_device(session, form_data(request).get("name", ""))
        return _back(request, user, "named")

    def _choose_zone(self, request: Request, user: Any) -> Any:
        name = form_data(request).get("zone", "")
        if name not in time_zones.names():
            return HttpResponseRedirect(_list(request))
        answer = _back(request, user, "zone")
        time_zones.remember(answer, name)
        return answer

    def _ask(self, request: Request, question: str, button: str) -> Response:
        form = form_data(request)
        context = {
            **page_context(request),
            **self._refreshed(),
            "question": question,
            "button": button,
            "fields": {name: form[name] for name in ("do", "sid") if name in form},
            "back": _list(request),
        }
        return Response(context, template_name="tokens/confirm.html")

    def _refreshed(self) -> dict[str, Any]:
        """Return who has just been signed in: the request's own cookies do not say it."""
        if self.pair is None:
            return {}
        left = self.pair.access_expires_at - self.pair.answered_at
        return {"signed_in": self.pair.session.user, "expires_in": ceil(left.total_seconds())}

    def _sign_out(self, request: Request) -> HttpResponseRedirect:
        self.deletes_cookies = True
        return HttpResponseRedirect(f"{sign_in_page(request)}?signed-out")


def _find(request: Request, user: Any) -> Session | None:
    """Return the live session of the user that the form names, or None."""
    try:
        sid = UUID(form_data(request).get("sid", ""))
    except ValueError:
        return None
    return Session.objects.filter(user=user.pk, pk=sid).live(now=clock.now()).first()


def _is_confirmed(request: Request) -> bool:
    return form_data(request).get("confirmed") == "yes"


def _list(request: Request) -> str:
    return addresses.find("tokens_sessions", request) or home_url(request) or "/"


def _back(request: Request, user: Any, done: str) -> HttpResponseRedirect:
    query = urlencode({"done": sign_done(done, user=user)})
    return HttpResponseRedirect(f"{_list(request)}?{query}")
