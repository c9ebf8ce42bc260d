"""Where the workbench's own routes lie on the server, below ``server.baseUrlPath`` where that is set."""

from streamlit import config


def address(path: str) -> str:
    """The path of one of the workbench's own addresses, such as ``thumbnails/…``, from the root of the server."""
    return below_prefix(f"workbench/{path}")


def below_prefix(path: str) -> str:
    """The path of any address of the server, from its root."""
    prefix = (config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{prefix}/{path}" if prefix else f"/{path}"
