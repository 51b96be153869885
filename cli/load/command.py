"""The options of `reprise load`, named as ghz names them."""

import ipaddress
import json
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.calling import CallingSettings, authorization
from cli.console import Output
from cli.load.generator import load as run_load
from cli.load.method import split_call
from cli.load.plan import LoadPlan, Tls, parse_duration
from cli.load.report import show
from cli.suite import SERVICES, target
from libs.faults import StartFault
from libs.serving.identity_settings import IdentitySettings, tls_files
from libs.serving.settings import SuiteSettings, read_settings

# Data files are read whole and kept in every client process.
_MOST_DATA_BYTES: Final = 256 * 2**20


def load(
    context: typer.Context,
    call: Annotated[str, typer.Argument(metavar="CALL", help="package.Service/Method")],
    data: Annotated[
        str | None,
        typer.Option("-d", "--data", help="The request as JSON; {{.RequestNumber}}, {{uuid}}, …"),
    ] = None,
    data_file: Annotated[
        Path | None,
        typer.Option("-D", "--data-file", help="A JSON array or JSON lines, used in turn."),
    ] = None,
    total: Annotated[int | None, typer.Option("-n", "--total", help="So many calls.")] = None,
    duration: Annotated[
        str | None,
        typer.Option("-z", "--duration", metavar="TIME", help="So long: 500ms, 10s, 2m."),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("-r", "--rps", help="Open loop: so many a second, whatever the answers do."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option("-c", "--concurrency", help="Callers of a closed loop.")
    ] = 50,
    connections: Annotated[int, typer.Option(help="Over so many connections.")] = 1,
    processes: Annotated[int, typer.Option(help="From so many client processes.")] = 1,
    timeout: Annotated[
        str, typer.Option("-t", "--timeout", metavar="TIME", help="Of one call.")
    ] = "20s",
    cpu: Annotated[
        str, typer.Option(help="Cores for the client processes, such as 1 or 2,3.")
    ] = "",
    to: Annotated[
        str, typer.Option("--target", help="host:port; default: where the suite listens.")
    ] = "",
    metadata: Annotated[
        str, typer.Option("-m", "--metadata", help="Metadata of every call, as a JSON object.")
    ] = "",
    cacert: Annotated[Path | None, typer.Option(help="TLS: whom to trust, PEM.")] = None,
    cert: Annotated[Path | None, typer.Option(help="Mutual TLS: the certificate, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Mutual TLS: its key, PEM.")] = None,
    stream_count: Annotated[
        int | None, typer.Option(help="Hang up a server stream after so many messages.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of random values in templates.")] = 1,
    details: Annotated[bool, typer.Option("--details", help="Every call in the JSON.")] = False,
) -> None:
    """Call any method again and again; what it takes is asked of the server by reflection."""
    output: Output = context.obj
    calling = read_settings(CallingSettings)
    plan = LoadPlan(
        target=to or suite_target(read_settings(SuiteSettings), call),
        call=call,
        total=total,
        duration_s=None if duration is None else parse_duration(duration),
        rate=rate,
        concurrency=concurrency,
        connections=connections,
        processes=processes,
        timeout_s=parse_duration(timeout),
        cores=parse_cores(cpu),
        seed=seed,
        answers_per_stream=stream_count,
        # A token is shown to the suite alone: whose server --target is, nobody knows.
        metadata=parse_metadata(metadata) or (() if to else tuple(authorization(calling))),
        tls=tls_of(cacert, cert, key) or (None if to else suite_tls(calling)),
    )
    show(run_load(plan, read_data(data, data_file)), output, with_details=details)


def suite_tls(settings: IdentitySettings) -> Tls | None:
    """The files that the suite's own calls are made with."""
    files = tls_files(settings)
    return None if files is None else Tls(files.authority, files.certificate, files.key)


def suite_target(settings: SuiteSettings, call: str) -> str:
    """Where the suite serves a call; raises StartFault unless that is on this machine.

    Load on another machine is sent only to whom it names itself.
    """
    service, _ = split_call(call)
    spec = next((spec for spec in SERVICES if service.startswith(f"reprise.{spec.name}.")), None)
    if spec is None:
        raise StartFault(f"{service} is no service of the suite: name its --target")
    where = target(settings, spec.name)
    if not _is_loopback(where.rpartition(":")[0].strip("[]")):
        raise StartFault(f"{spec.name} is on another machine: to load it, give --target {where}")
    return where


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_of(ca_path: Path | None, certificate: Path | None, key: Path | None) -> Tls | None:
    """TLS where a CA is given; a certificate is never quietly left out."""
    if ca_path is not None:
        return Tls(ca_path, certificate, key)
    if certificate is not None or key is not None:
        raise StartFault("--cert and --key are for TLS: give --cacert too")
    return None


def parse_cores(text: str) -> tuple[int, ...]:
    """The cores of "1" or "2,3"; none of an empty text."""
    parts = [part.strip() for part in text.split(",")] if text else []
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise StartFault(f"--cpu {text!r} is no list of cores; write 1 or 2,3")
    return tuple(int(part) for part in parts)


def parse_metadata(text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a JSON object of strings."""
    if not text:
        return ()
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise StartFault('-m is no JSON object of strings; write {"name": "value"}')
    return tuple((name.lower(), one) for name, one in value.items())


def read_data(data: str | None, path: Path | None) -> str:
    """The text of the requests; one empty request when nothing is given."""
    if data is not None and path is not None:
        raise StartFault("-d and -D are two answers to one question: give one")
    if path is None:
        return "{}" if data is None else data
    try:
        if path.stat().st_size > _MOST_DATA_BYTES:
            raise StartFault(f"{path} is larger than {_MOST_DATA_BYTES // 2**20} MiB")
        return path.read_text("utf-8")
    except OSError as error:
        raise StartFault(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise StartFault(f"{path} is not UTF-8") from None
