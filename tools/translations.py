#!/usr/bin/env python3
"""Keeps the translations: `update` gathers texts, `compile` writes what the client reads, `check` finds what lacks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
KEYWORDS = {"_": None, "_t": None, "n_": (1, 2)}
"""What marks a text: `_`, `n_` and `_t` of alonechat/core/client/words.py."""
BEGUN = datetime(2026, 11, 24, tzinfo=UTC)
"""The date that every catalogue bears: a real one would change with every update."""


class TranslationError(Exception):
    """A catalogue can't be read. `str(error)` says which, and why."""


def catalogues(tree: Path) -> list[Path]:
    """The catalogues of a tree, one for each language."""
    return sorted((tree / "alonechat" / "locale").glob("*/LC_MESSAGES/alonechat.po"))


def language_of(path: Path) -> str:
    """The language of a catalogue: the folder that it lies in."""
    return path.parent.parent.name


def extracted(tree: Path) -> Catalog:
    """Every text of the tree that is marked for translation, in the order of files and lines."""
    found = _catalogue(None)
    for path in sorted((tree / "alonechat").rglob("*.py")):
        place = path.relative_to(tree).as_posix()
        for line, texts, comments, context in extract_from_file(
            "python", path, keywords=KEYWORDS, comment_tags=("translators:",), strip_comment_tags=True
        ):
            found.add(texts, None, [(place, line)], auto_comments=comments, context=context)
    return found


def _catalogue(language: str | None) -> Catalog:
    return Catalog(
        language,
        project="AloneChat",
        version="2",
        msgid_bugs_address="AloneChat",
        header_comment=f"# AloneChat in {language}." if language else "# The texts of AloneChat.",
        creation_date=BEGUN,
        revision_date=BEGUN,
        last_translator="AloneChat",
        language_team="AloneChat",
        fuzzy=False,
    )


def read(path: Path) -> Catalog:
    """A catalogue. Raises `TranslationError`."""
    try:
        with path.open("rb") as file:
            return read_po(file, locale=language_of(path), abort_invalid=True)
    except (OSError, PoFileError, ValueError) as error:
        raise TranslationError(f"{path} can't be read: {error}") from None


def update(tree: Path, path: Path, template: Catalog) -> None:
    """Give a catalogue the texts that the tree has now: new ones without a translation, those that are gone not at
    all. Nothing is guessed from texts that look alike."""
    found = read(path) if path.exists() else _catalogue(language_of(path))
    found.update(template, no_fuzzy_matching=True, update_creation_date=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_po(found))


def _po(catalog: Catalog) -> bytes:
    # Without the numbers of lines: else a catalogue changed with every line that is added anywhere.
    written = BytesIO()
    write_po(written, catalog, width=120, include_lineno=False, ignore_obsolete=True)
    return written.getvalue()


def compiled(path: Path) -> bytes:
    """A catalogue as gettext reads it: the same bytes for the same catalogue."""
    written = BytesIO()
    write_mo(written, read(path))
    return written.getvalue()


def faults(tree: Path, path: Path, template: Catalog) -> Iterator[str]:
    """What is wrong with a catalogue, a sentence each."""
    found = read(path)
    for message in template:
        if message.id and (kept := found.get(message.id, message.context)) is None:
            yield f"lacks {_named(message)}; run update"
        elif message.id and kept is not None:
            yield from _wrong(kept)
    for message in found:
        if message.id and template.get(message.id, message.context) is None:
            yield f"has {_named(message)}, which no file does; run update"
    built = path.with_suffix(".mo")
    if not built.is_file() or built.read_bytes() != compiled(path):
        yield f"{built.name} is not what it compiles to; run compile"


def _wrong(message: Message) -> Iterator[str]:
    strings = _forms(message.string)
    if not all(strings):
        yield f"has no translation of {_named(message)}"
    if message.fuzzy:
        yield f"has a fuzzy translation of {_named(message)}: read it, and take the flag away"
    # The last form of a plural: a language with one form says the number, where English may say "one".
    wanted = places(_forms(message.id)[-1])
    for string in filter(None, strings):
        if places(string) != wanted:
            yield f"has other {{places}} in the translation of {_named(message)}: {string!r}"


def _forms(text: str | Iterable[str] | None) -> list[str]:
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def _named(message: Message) -> str:
    where = sorted({place for place, _line in message.locations})
    return f"{_forms(message.id)[0]!r}" + (f" ({', '.join(where)})" if where else "")


def places(text: str) -> list[str]:
    """The `{places}` of a text that `str.format` fills in, sorted; braces that it can't read are one too."""
    try:
        return sorted(name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None)
    except ValueError as error:
        return [str(error)]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit code: 1 when `check` finds a fault, 2 when a file can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the source tree (default: the one this file is in)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("extract", help="print the texts that are marked, as a catalogue without translations")
    updating = commands.add_parser("update", help="give the catalogues the texts of the tree")
    updating.add_argument("language", nargs="*", metavar="LANGUAGE", help="one to begin, such as zh_CN")
    commands.add_parser("compile", help="write the .mo of each catalogue")
    commands.add_parser("check", help="say what is missing, fuzzy, or has other {places} than the text")
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except TranslationError as error:
        print(f"translations: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    tree, count = options.tree, 0
    if options.command == "extract":
        sys.stdout.buffer.write(_po(extracted(tree)))
    elif options.command == "update":
        template = extracted(tree)
        begun = [tree / "alonechat" / "locale" / name / "LC_MESSAGES" / "alonechat.po" for name in options.language]
        for path in sorted({*catalogues(tree), *begun}):
            update(tree, path, template)
    elif options.command == "compile":
        for path in catalogues(tree):
            path.with_suffix(".mo").write_bytes(compiled(path))
    else:
        template = extracted(tree)
        for path in catalogues(tree):
            for fault in faults(tree, path, template):
                count += 1
                print(f"{path.relative_to(tree).as_posix()} {fault}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
