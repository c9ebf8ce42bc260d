"""Who is using the workbench. With a login, editors can change things and guests can look; without one, everyone on
this machine can do both.

The login is Streamlit's own (OpenID Connect), set up in the section ``auth`` of ``secrets.toml``; the section
``workbench`` lists the editors. docs/sharing.md shows both.
"""

import json
import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from ballad.errors import AccessError

BEHIND_LOGIN = "BALLAD_BEHIND_LOGIN"


def has_login() -> bool:
    """Whether the server requires a login."""
    return bool(_secrets("auth"))


def behind_login() -> bool:
    """Whether the operator has declared that a proxy in front of the server requires a login."""
    return os.environ.get(BEHIND_LOGIN, "") not in ("", "0")


def holds_login(request: HTTPConnection) -> bool:
    """Whether a request outside the pages comes from somebody who has logged in on a page."""

    def signed(name: str) -> bytes | None:
        value = request.cookies.get(name)
        if not value:
            return None
        return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1", "ignore"))

    told = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    return told is not None and json.loads(told).get("is_logged_in") is True


def visitor() -> str | None:
    """The e-mail address verified by the provider, or the provider's name for the account; None without a login."""
    if not has_login() or not st.user.get("is_logged_in"):
        return None
    vouched = st.user.get("email") if st.user.get("email_verified", True) else None
    return str(vouched or st.user.get("sub"))


def why_not_edit() -> str | None:
    """The sentence that says why this visitor may not change anything; None for those who may."""
    if not has_login():
        return None
    who = visitor()
    if who is None:
        return "Log in to change anything."
    if any(fnmatchcase(who.lower(), pattern.lower()) for pattern in _secrets("workbench").get("editors", ())):
        return None
    return f"{who} is a guest and can view everything but change nothing; the server's owner appoints the editors."


def editor() -> str | None:
    """Who is making a change, to be recorded; None without a login. Raises AccessError for guests."""
    refusal = why_not_edit()
    if refusal is not None:
        raise AccessError(refusal)
    return visitor()


def _secrets(section: str) -> Mapping[str, Any]:
    return st.secrets.get(section, {}) if st.secrets.load_if_toml_exists() else {}
