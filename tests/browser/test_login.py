"""A shared workbench with Streamlit's own login, against a provider on this machine."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, free_port, running_server, settled
from tests.browser.local_provider import CLIENT, provider

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a long random text that signs the cookies of this test"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{issuer}/.well-known/openid-configuration"

[workbench]
editors = ["*@example.org"]
"""
PICTURE = "workbench/pictures/train/0?dataset=%7B%7D"


def log_in(browser: Browser, address: str, who: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    log_in = page.get_by_role("button", name="Log in")
    expect(log_in).to_be_visible()
    expect(page.get_by_text("Recent runs")).to_have_count(0)
    assert page.request.get(f"{address}/{PICTURE}").status == 401
    log_in.click()
    page.get_by_role("link", name=who).click()
    expect(page.get_by_text("Recent runs")).to_be_visible()
    settled(page)
    return page


def test_editors_and_guests_log_in_at_a_provider(browser: Browser, tmp_path):
    port = free_port()
    (tmp_path / ".streamlit").mkdir()
    with provider() as issuer:
        secrets = SECRETS.format(port=port, issuer=issuer, client=CLIENT[0], secret=CLIENT[1])
        (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets)
        with running_server(tmp_path, folder=tmp_path, port=port) as address:
            editor = log_in(browser, address, "ada@example.org")
            expect(editor.get_by_text("editor")).to_be_visible()
            expect(editor.get_by_role("button", name="Run the demo")).to_be_enabled()
            assert editor.request.get(f"{address}/{PICTURE}").status == 200

            guest = log_in(browser, address, "eve@elsewhere.org")
            expect(guest.get_by_text("guest, can view")).to_be_visible()
            expect(guest.get_by_role("button", name="Run the demo")).to_be_disabled()
            guest.get_by_role("button", name="Log out").click()
            expect(guest.get_by_role("button", name="Log in")).to_be_visible()
            assert guest.request.get(f"{address}/{PICTURE}").status == 401
