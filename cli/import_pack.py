"""`reprise import pack`: check a curated quiz against the catalogue and put it on recap's shelf."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cli.calling import open_channel
from cli.console import Output
from libs.domain.title import Title
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings, read_settings
from libs.serving.title_codec import titles as decode_titles
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from services.recap.quiz.pack import Pack, PackRejected, parse
from services.recap.quiz.pack_shelf import shelf, texts
from services.recap.settings import RecapSettings

_PAGE: Final = 1_000
CALL_S: Final = 30.0


def import_pack(settings: SuiteSettings, file: Path, output: Output) -> None:
    """Store a pack that the running services can play; raises StartFault with its bad place."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartFault(f"cannot read {file}: {error}") from None
    try:
        pack = parse(text, str(file))
        pack.check(list(_catalogue(settings)))
    except PackRejected as rejected:
        raise StartFault(str(rejected)) from None
    folder = read_settings(RecapSettings).quiz_packs_path
    folder.mkdir(parents=True, exist_ok=True)
    stored = place_of(pack, file, folder)
    fresh = stored.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(stored)
    output.say(
        f"{pack.name} ({len(pack.questions)} questions, {len(pack.outcomes)} outcomes) is in"
        f" {stored}: `reprise quiz --pack {pack.pack_id}` plays it within a second."
    )


def place_of(pack: Pack, file: Path, folder: Path) -> Path:
    """Where the shelf keeps the pack of `file`; raises StartFault where another has its id."""
    stored = folder / f"{file.stem}.toml"
    for name, text in texts(folder):
        is_other = text is not None and (folder / name).exists() and name != stored.name
        if is_other and pack.pack_id in shelf(((name, text),)).packs:
            raise StartFault(
                f"{folder / name} is pack {pack.pack_id!r} already: remove it, or import"
                f" {file} under that name"
            )
    return stored


def _catalogue(settings: SuiteSettings) -> Iterator[Title]:
    with open_channel(settings, "candidates") as channel:
        stub = candidates_pb2_grpc.CandidatesServiceStub(channel)
        token = ""
        while True:
            page = stub.ListTitles(
                candidates_pb2.ListTitlesRequest(page_size=_PAGE, page_token=token), timeout=CALL_S
            )
            yield from decode_titles(page.titles, "titles")
            token = page.next_page_token
            if not token:
                return
