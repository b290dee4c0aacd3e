"""Signing in and out, and the two ways to a new password."""

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.controllers.forms import text_fields
from app.domain.emails import canonical_email
from app.security import sessions, throttling
from app.security.connections import client_address
from app.security.passwords import MIN_PASSWORD_CHARACTERS, WeakPassword
from app.security.policy import SETS_UP_SECOND_FACTOR, anyone, signed_in
from app.security.redirects import local_path
from app.security.sessions import SessionInUse
from app.services import accounts, sign_in
from app.services.accounts import LinkUnusable
from app.web import PRIVATE, AnyRequest, page, reader_of

ASKED = {"email": "Enter your e-mail.", "password": "Enter your password."}
WRONG_PASSWORD = "E-mail or password is wrong."  # noqa: S105
WRONG_CODE = "This code is wrong or was used already. Wait for the next one."
SET_PASSWORD = "/set-password"  # noqa: S105 (the page's address without its token)
NO_REFERRER = {"Referrer-Policy": "no-referrer"}


@get("/login", guards=[anyone])
async def sign_in_form(request: AnyRequest) -> Template | Redirect:
    after = local_path(request.query_params.get("next"))
    if reader_of(request):
        return _to(after or "/")
    return page(request, "sign_in/index.html", email="", after=after, errors={}, problem="")


@post("/login", guards=[anyone])
async def submit_sign_in(request: AnyRequest) -> Template | Redirect:
    form = await text_fields(request, "email", "password", "next")
    after = local_path(form["next"])
    errors = {name: prompt for name, prompt in ASKED.items() if not form[name]}
    done = None if errors else await sign_in.with_password(form["email"], form["password"], _browser(request))
    if done:
        return _signed_in(request, done, after)
    return page(
        request, "sign_in/index.html", status_code=422, email=form["email"], after=after, errors=errors,
        problem="" if errors else WRONG_PASSWORD,
    )


@get("/login/second-factor", guards=[anyone])
async def second_factor_form(request: AnyRequest) -> Template | Redirect:
    after = local_path(request.query_params.get("next"))
    if _waiting_session(request) is None:
        return _to("/login")
    return page(request, "sign_in/second_factor.html", after=after, errors={})


@post("/login/second-factor", guards=[anyone])
async def submit_second_factor(request: AnyRequest) -> Template | Redirect:
    session = _waiting_session(request)
    if session is None:
        return _to("/login")
    form = await text_fields(request, "code", "next")
    after = local_path(form["next"])
    done = await sign_in.with_code(session, form["code"], _browser(request))
    if done:
        return _signed_in(request, done, after)
    return page(request, "sign_in/second_factor.html", status_code=422, after=after, errors={"code": WRONG_CODE})


@post("/logout", guards=[signed_in], opt={SETS_UP_SECOND_FACTOR: True})
async def sign_out(request: AnyRequest) -> Redirect:
    await sessions.sign_out(request.user)
    return Redirect(
        "/login", status_code=303, headers=PRIVATE, cookies=[sessions.ended_cookie(request.app.state.settings)]
    )


@get("/forgot-password", guards=[anyone])
async def forgot_password_form(request: AnyRequest) -> Template:
    return page(request, "sign_in/forgot_password.html", email="", errors={}, is_sent=False)


@post("/forgot-password", guards=[anyone])
async def submit_forgot_password(request: AnyRequest) -> Template:
    """The answer is the same for everybody; looking up the account and writing to it come after it."""
    email = canonical_email((await text_fields(request, "email"))["email"])
    if not email:
        errors = {"email": "Enter the e-mail of your account."}
        return page(request, "sign_in/forgot_password.html", status_code=422, email="", errors=errors, is_sent=False)
    await throttling.admit(throttling.FORGOT_PASSWORD, account=email, address=client_address(request))
    answer = page(request, "sign_in/forgot_password.html", email="", errors={}, is_sent=True)
    answer.background = BackgroundTask(accounts.send_reset_link, email)
    return answer


@get("/set-password/{token:str}", guards=[anyone])
async def set_password_form(request: AnyRequest, token: FromPath[str]) -> Template:
    owner = await accounts.find_link(token)
    return _set_password_page(request, owner.email) if owner else _unusable(request)


@post("/set-password/{token:str}", guards=[anyone])
async def submit_set_password(request: AnyRequest, token: FromPath[str]) -> Template | Redirect:
    form = await text_fields(request, "password", "password_again")
    owner = await accounts.find_link(token)
    if owner is None:
        return _unusable(request)
    if form["password"] != form["password_again"]:
        return _set_password_page(request, owner.email, {"password_again": "The two passwords differ."})
    try:
        done = await sign_in.with_link(token, form["password"], _browser(request))
    except WeakPassword as error:
        return _set_password_page(request, owner.email, {"password": str(error)})
    except LinkUnusable:
        return _unusable(request)
    return _signed_in(request, done, None)


def _browser(request: AnyRequest) -> sign_in.Browser:
    return sign_in.Browser(
        address=client_address(request), user_agent=request.headers.get("user-agent", ""),
        earlier_token=sessions.session_token(request),
    )


def _waiting_session(request: AnyRequest) -> SessionInUse | None:
    session = request.scope.get("auth")
    return session if isinstance(session, SessionInUse) and not session.second_factor_passed else None


def _signed_in(request: AnyRequest, done: sign_in.SignedIn, after: str | None) -> Redirect:
    cookie = sessions.session_cookie(done.token, request.app.state.settings)
    if not done.waits_for_second_factor:
        return Redirect(after or "/", status_code=303, headers=PRIVATE, cookies=[cookie])
    return Redirect(
        "/login/second-factor", status_code=303, headers=PRIVATE, cookies=[cookie],
        query_params={"next": after} if after else None,
    )


def _to(path: str) -> Redirect:
    return Redirect(path, status_code=303, headers=PRIVATE)


def _set_password_page(request: AnyRequest, email: str, errors: dict[str, str] | None = None) -> Template:
    return page(
        request, "sign_in/set_password.html", status_code=422 if errors else 200, headers=NO_REFERRER, email=email,
        errors=errors or {}, min_characters=MIN_PASSWORD_CHARACTERS, here=SET_PASSWORD,
    )


def _unusable(request: AnyRequest) -> Template:
    return page(request, "sign_in/link_unusable.html", status_code=404, headers=NO_REFERRER, here=SET_PASSWORD)


ROUTES = [
    sign_in_form, submit_sign_in, second_factor_form, submit_second_factor, sign_out, forgot_password_form,
    submit_forgot_password, set_password_form, submit_set_password,
]
