"""The flow that says something new: the file to Meta, then the message.

Knows: uploads, which kind a file may be shown as, receipts.
Does not know: bodies (`compose.py`), codes (`codes.py`), retries, HTTP.

The Cloud API has no idempotency key: a request whose answer is lost is Ambiguous, and only a
status that brings our token back can tell that it arrived.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from outeract_core.adapter import Flow, Outgoing, OutgoingFile, Sent
from outeract_core.errors import Ambiguous, Rejected, SendError, Transient

from ..meta import Object, many, text
from ..meta_graph import Graph
from .compose import Media, bodies
from .people import phone

__all__ = ["MEDIA", "send"]

_MB = 1024 * 1024
_AUDIO = ("audio/ogg", "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4")
_IMAGE, _VIDEO = ("image/jpeg", "image/png"), ("video/mp4", "video/3gpp")
_OFFICE = "application/vnd.openxmlformats-officedocument"
_PAPERS = (
    "application/pdf", "text/plain", "application/msword", "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint", f"{_OFFICE}.wordprocessingml.document",
    f"{_OFFICE}.spreadsheetml.sheet", f"{_OFFICE}.presentationml.presentation",
)  # fmt: skip
MEDIA: dict[str, tuple[int, tuple[str, ...]]] = {
    "image": (5 * _MB, _IMAGE),
    "video": (16 * _MB, _VIDEO),
    "audio": (16 * _MB, _AUDIO),
    "voice": (16 * _MB, _AUDIO),
    "document": (100 * _MB, (*_PAPERS, *_IMAGE, *_VIDEO, *_AUDIO)),
    "sticker": (500 * 1024, ("image/webp",)),
}
STILL = 100 * 1024
"""Cloud API, media: what may be shown as what. A sticker that does not move may only have 100 KB. A
document is of a type that can be uploaded at all, whatever it is to be shown as; WebP is sent in
stickers only.
"""

_OGG = "audio/ogg; codecs=opus"
_LINKED = frozenset({"image", "video", "audio", "document", "sticker"})


def send(graph: Graph, number: str, outgoing: Outgoing) -> Flow[Sent]:
    """Say it. Raises a SendError.

    `metadata["media"]`: `{"type", "id" | "link", "filename"?}` sends a file that Meta already has
    or fetches by itself, with the text as its caption.
    """
    media = yield from _media(graph, number, outgoing)
    ids: list[str] = []
    said: Object = {}
    for body in bodies(outgoing, media):
        call = graph.post(number, "messages", body)
        try:
            said = yield from graph.ask(call, repeatable=False, attempt=outgoing.attempt)
            ids.append(_id(said))
        except SendError as error:
            if not ids:
                raise
            raise _halved(error) from error
    return Sent(ids[0], tuple(ids[1:]), _moved(outgoing, said), _raw(said))


def _id(said: Object) -> str:
    found = next((known for one in many(said, "messages") if (known := text(one, "id"))), None)
    if found is None:
        raise Ambiguous("WhatsApp accepted the message without telling its id")
    return found


def _halved(error: SendError) -> SendError:
    """After a first half has gone, another attempt would say it twice."""
    kind = Rejected if isinstance(error, Rejected) else Ambiguous
    reason = f"the first of two messages was sent, the second not: {error.reason}"
    return kind(reason, code=error.code)


def _moved(outgoing: Outgoing, said: Object) -> str | None:
    """The number as WhatsApp writes it, when that is another than the one asked for."""
    told = (phone(one.get("wa_id")) for one in many(said, "contacts"))
    known, asked = next(told, None), phone(outgoing.to.address)
    return known if known is not None and asked is not None and known != asked else None


def _raw(said: Object) -> Any:
    kept = ((text(one, "id"), text(one, "message_status")) for one in many(said, "messages"))
    return {"messages": [{"id": wamid, "message_status": status} for wamid, status in kept]}


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def _media(graph: Graph, number: str, outgoing: Outgoing) -> Flow[Media | None]:
    if len(outgoing.files) > 1:
        raise Rejected("WhatsApp shows one file per message")
    if outgoing.files:
        return (yield from _upload(graph, number, outgoing.files[0]))
    return _named(outgoing)


def _upload(graph: Graph, number: str, file: OutgoingFile) -> Flow[Media]:
    """Bring the bytes to Meta, where nobody sees them yet: doing it twice does no harm."""
    kind, mime = _kind(file), file.mime_type.partition(";")[0].strip().lower()
    typed = _OGG if mime == "audio/ogg" else file.mime_type
    form = {"messaging_product": "whatsapp", "type": typed}
    call = graph.upload(number, "media", form, "file", evolve(file, mime_type=typed))
    told = yield from graph.ask(call, repeatable=True)
    known: Object = {"id": text(told, "id")}
    if known["id"] is None:
        raise Transient("WhatsApp took the file without telling its id")
    if kind == "document":
        known["filename"] = file.filename
    if file.kind == "voice" and kind == "audio" and typed == _OGG:
        known["voice"] = True
    return Media(kind, known)


def _kind(file: OutgoingFile) -> str:
    """How WhatsApp shows it: what does not fit its kind is sent as a document."""
    mime = file.mime_type.partition(";")[0].strip().lower()
    size, types = MEDIA.get(file.kind, MEDIA["document"])
    if file.kind not in MEDIA or file.size > size or (types and mime not in types):
        return "document"
    return "audio" if file.kind == "voice" else file.kind


def _named(outgoing: Outgoing) -> Media | None:
    """The file that `metadata` names, in the first part only. Raises Rejected."""
    told = outgoing.metadata.get("media")
    if told is None or outgoing.part > 0:
        return None
    kind, old, link = text(told, "type"), text(told, "id"), text(told, "link")
    web = link is None or link.startswith(("https://", "http://"))
    if kind not in _LINKED or (old is None) == (link is None) or not web:
        raise Rejected(
            'metadata["media"] must be {"type": "image", "link": "https://…"} or with "id" for '
            "a file that was uploaded before; types are " + ", ".join(sorted(_LINKED))
        )
    known: Object = {"id": old} if old else {"link": link}
    filename = text(told, "filename")
    return Media(
        kind, {**known, "filename": filename} if filename and kind == "document" else known
    )
