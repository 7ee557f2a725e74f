"""The only door through which the layout engine reads resources (style sheets' imports, images, fonts)."""

from __future__ import annotations

import mimetypes
from urllib.parse import unquote

from sealtool.errors import TemplateError
from sealtool.rendering.engine import FatalURLFetchingError, URLFetcher, URLFetcherResponse
from sealtool.rendering.folders import TemplateFolders

BASE_URL = "https://templates.invalid/"
"""Stands for the template folders: relative addresses resolve against it, no path of the machine gets into a
document, and no server can ever answer it (RFC 2606, section 2)."""

_LONGEST_SHOWN = 100  # characters of a refused address: data addresses can be huge


class ResourceRefusedError(FatalURLFetchingError):  # type: ignore[misc]
    """Stops the layout at once. The engine swallows ordinary exceptions and would go on without the resource."""


class TemplateFetcher(URLFetcher):  # type: ignore[misc]
    """Opens files of the template folders: no http, no file addresses, no data, no link that leads outside.

    Attributes:
        refusal: the first refusal since it was last cleared. While drawing an SVG image the engine swallows
            even fatal errors, so whoever renders looks here afterwards.
    """

    def __init__(self, folders: TemplateFolders) -> None:
        # Deliberately not calling super().__init__(): that would install handlers for http, ftp and files.
        self._folders = folders
        self._fail_on_errors = True
        self.refusal: TemplateError | None = None

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:  # noqa: ARG002 - the engine's signature
        """Answer a request of the layout engine.

        Raises:
            ResourceRefusedError: anything but a readable file inside a template folder; ``refusal`` says why.
        """
        try:
            name = _name_of(url)
            content = _read(self._folders, name)
        except TemplateError as error:
            self.refusal = self.refusal or error
            raise ResourceRefusedError(str(error)) from error
        mime_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, content, {"Content-Type": mime_type})


def _name_of(url: str) -> str:
    if url.startswith(BASE_URL):
        return unquote(url.removeprefix(BASE_URL))
    shown = url if len(url) <= _LONGEST_SHOWN else url[:_LONGEST_SHOWN] + "…"
    raise TemplateError(
        f"A template asks for {shown}, which is not in the template folder. "
        "Certificates are laid out from these files alone, so that nothing else can get into them.",
        advice="Copy the resource into the template folder and name it by its relative path.",
    )


def _read(folders: TemplateFolders, name: str) -> bytes:
    path = folders.find(name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise TemplateError(
            f"The template resource {path} cannot be read: {error.strerror}.",
            advice="Check its permissions.",
        ) from error
