"""Templates to text: the wording of a page, filled in. The only user of Jinja."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from sealtool.errors import TemplateError
from sealtool.model import Language
from sealtool.rendering.folders import TemplateFolders

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WordedPage:
    """One page in one language.

    Attributes:
        title: the document's title in this language, for its metadata; never names the person.
        office: who issues it, in this language, for the metadata.
    """

    language: Language
    title: str
    office: str
    markup: Markup


class Wording:
    """Compiles every template once.

    Args:
        folders: where the templates are.

    Raises:
        TemplateError: a template is missing or malformed; the message names file and line.
    """

    def __init__(self, folders: TemplateFolders) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=_FolderLoader(folders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
        )
        self._frame = self._compile("document.html")
        self._pages = {language: self._compile(f"{language.value}/certificate.html") for language in Language}

    def page(self, language: Language, facts: Mapping[str, object]) -> WordedPage:
        """Fill in the page of one language.

        Raises:
            TemplateError: a template uses what does not exist; the message names file and line.
        """
        template = self._pages[language]

        def fill() -> WordedPage:
            module = template.make_module({**facts, "language": language.value})
            return WordedPage(language, _exported(module, "title"), _exported(module, "office"), Markup(module))  # noqa: S704 - it was escaped while it was filled in

        return self._explained(fill)

    def document(self, pages: tuple[WordedPage, ...]) -> str:
        """The HTML document of one or more pages, in the main language of the first.

        Raises:
            TemplateError: as :meth:`page`.
        """
        first = pages[0]
        return self._explained(
            lambda: self._frame.render(
                language=first.language.value, title=first.title, pages=[page.markup for page in pages]
            )
        )

    def _explained(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                f"{error.filename or error.name or 'A template'}, line {error.lineno}: {error.message}",
                advice="Correct the template.",
            ) from error
        except TemplateError:
            raise
        except Exception as error:  # a template may fail in any way Python code can: each is the template's fault
            place = self._place(error)
            raise TemplateError(
                f"{place}: {error}", advice="Correct the template.", discreet=f"{place}: {type(error).__name__}"
            ) from error

    def _place(self, error: Exception) -> str:
        # Jinja can rewrite a traceback so that the frames of a template carry its own file name and lines. What it
        # does by itself for render() has to be asked for where a template is run in another way.
        try:
            self._environment.handle_exception()
        except Exception as rewritten:  # noqa: BLE001 - it raises the very error again
            error = rewritten
        frames = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.endswith(".py")]
        return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else "A template"

    def _compile(self, name: str) -> jinja2.Template:
        return self._explained(lambda: self._environment.get_template(name))


class _FolderLoader(jinja2.BaseLoader):
    def __init__(self, folders: TemplateFolders) -> None:
        self._folders = folders

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, None]:  # noqa: ARG002 - Jinja's signature
        path = self._folders.find(template)
        return _read(path), str(path), None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(
            f"The template {path} is not UTF-8 text (byte {error.start}), so its accents would be printed wrong.",
            advice="Save it as UTF-8.",
        ) from error
    except OSError as error:
        raise TemplateError(
            f"The template {path} cannot be read: {error.strerror}.", advice="Check its permissions."
        ) from error


def _exported(module: object, name: str) -> str:
    value = getattr(module, name, None)
    if not isinstance(value, str) or not value.strip():
        raise TemplateError(
            f"The template {getattr(module, '__name__', '')} sets no `{name}`, which the document's metadata needs.",
            advice=f'Put {{% set {name} = "…" %}} at the top level of the template.',
        )
    return str(value)
