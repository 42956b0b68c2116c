"""What is answered when something is wrong: a page for people, JSON for programs."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from bartizan.errors import BartizanError, TransientError, UsageError
from bartizan.ui.headers import HEADERS
from bartizan.ui.pages import bare_page

API = "/api/"
_ADVICE = {
    401: "Sign in to Airflow, then load this page again.",
    404: "It may have moved: start again from Now.",
    429: "Wait until your other pages are there.",
    503: "Try again in a moment.",
}


def answer_failures(app: FastAPI) -> None:
    """Have the app answer all failures alike, unforeseen ones too."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(BartizanError, _known)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(500, _unforeseen)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(request, error.status_code, str(error.detail), _ADVICE.get(error.status_code))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    return _answer(request, 422, wrong, "Correct it and send it again.")


def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, BartizanError)
    match error:
        case UsageError():
            status = 400
        case TransientError():
            status = 503
        case _:
            status = 500
    return _answer(request, status, f"{error.thing}: {error.problem}", error.remedy)


def _unstorable(request: Request, error: Exception) -> Response:
    """PostgreSQL looks for no text with a NUL, where SQLite only finds nothing."""
    return _answer(request, 400, "No database holds such a value.", "Leave out what is no text.")


def _unforeseen(request: Request, error: Exception) -> Response:
    """What is wrong stands in the server's log, where Starlette writes it."""
    answer = _answer(request, 500, "This went wrong on our side.", "The server's log says why.")
    answer.headers.update(HEADERS)  # this handler runs outside of the middleware
    return answer


def _answer(request: Request, status: int, problem: str, remedy: str | None) -> Response:
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    if path.startswith(API):
        return JSONResponse({"detail": problem, "remedy": remedy or ""}, status)
    title = HTTPStatus(status).phrase
    # From a page of a missing folder a relative link would lead nowhere.
    home = "../" * (path.count("/") - 1) or "./"
    return bare_page(
        "failure.html.j2", status, title=title, problem=problem, remedy=remedy or "", home=home
    )
