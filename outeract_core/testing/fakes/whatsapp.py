"""The WhatsApp Cloud API as far as bots use it: what graph.facebook.com would answer.

Knows: messages, media, receipts as webhooks, refusals with Meta's codes.
Does not know: HTTP servers, what fits which thread (`whatsapp_threads.py`), what is shown as what
(`limits/whatsapp_files.py`). Source of shapes and limits: business-messaging-api v23.0 (OpenAPI).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from ..signing import Signed, sign_whatsapp
from .limits.rules import broken
from .limits.whatsapp import LIMITS, TYPES
from .limits.whatsapp_files import fits
from .record import Answer, Received, Request, Upload, World, answer_json
from .whatsapp_threads import FAILURES, Threads

__all__ = ["FakeWhatsApp"]

ACCOUNT = "102290129340398"
NUMBER = "15550783881"
APP = "670843887433847"

_PATH = re.compile(r"/v\d+\.\d+/(\w+)(?:/(\w+))?")
_NUMBER = re.compile(r"\+?[\d .()-]+")
"""Send messages, `to`: a number in any spelling; a group is named as one, a user id is a `recipient`."""
_DOWNLOAD = re.compile(r"/whatsapp-media/(\w+)")
_TEXT_AT = {
    "text": ("body",),
    "interactive": ("body", "text"),
    "reaction": ("emoji",),
    "template": ("name",),
}

_MB = 1024 * 1024
_UPLOADS = {
    **dict.fromkeys(("audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg"), 16 * _MB),
    **dict.fromkeys(("video/mp4", "video/3gpp"), 100 * _MB),
    **dict.fromkeys(("image/jpeg", "image/png", "image/webp"), 100 * _MB),
    **dict.fromkeys((
        "application/vnd.ms-powerpoint", "application/msword", "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/pdf",
        "text/plain",
    ), 100 * _MB),
}  # fmt: skip
"""Cloud API, media: the types that can be uploaded at all, and the most bytes of each."""


class _RefusedError(Exception):
    def __init__(self, code: int, message: str, status: int = 400, details: str = "") -> None:
        super().__init__(message)
        self.code, self.status, self.details = code, status, details


class FakeWhatsApp:
    """The player. `say`: an inbound payload; `add_media`: what a media id will lead to."""

    def __init__(self, world: World, token: str | None = None) -> None:
        self._world = world
        self._token = token
        self._media: dict[str, Upload] = {}
        self._threads = Threads(world)
        self._reported = 0
        self._inbound = 0
        self.scopes: set[str] = {"whatsapp_business_messaging", "whatsapp_business_management"}
        """What the token may do; without the former, nothing can be sent."""
        self.callback: str | None = "https://bot.example/webhooks/fake"
        """Where the app's webhooks go."""
        self.subscribed: set[str] = {APP}
        """The apps that get the business account's webhooks."""
        self.expires_at = 0
        """When the token ends (unix time); 0: never."""
        self.numbers: set[str] | None = None
        """The phone number ids that the token may see; None: any."""

    @property
    def strangers(self) -> bool:
        """Whether who has never written can be sent free text, which Meta does not deliver (131047).

        True unless it is set: a test may begin with what the bot says. The 24 hours of those who have
        written end in any case.
        """
        return not self._threads.closed

    @strangers.setter
    def strangers(self, reached: bool) -> None:
        self._threads.closed = not reached

    # ── what people do ──

    def say(self, wa_id: str, text: str, *, phone_number_id: str, **more: Any) -> dict[str, Any]:
        """A webhook payload in which `wa_id` (digits) writes `text`; `more` goes into the message."""
        with self._world.changed:
            self._inbound += 1
            number = self._inbound
        message = {
            "from": wa_id, "id": _wamid(f"in{number}"), "timestamp": str(self._world.seconds),
            "type": "text", "text": {"body": text}, **more,
        }  # fmt: skip
        self._threads.heard(phone_number_id, message)
        contact = {"profile": {"name": f"Person {wa_id}"}, "wa_id": wa_id}
        return self._webhook(phone_number_id, {"contacts": [contact], "messages": [message]})

    def add_media(self, data: bytes, mime_type: str, filename: str = "file.bin") -> str:
        """The media id under which `data` can be fetched, as an inbound message would name it."""
        with self._world.changed:
            media_id = str(1_000_000_000 + len(self._media))
            self._media[media_id] = Upload(filename, mime_type, data)
            return media_id

    def statuses(self, app_secret: str) -> list[Signed]:
        """Signed webhooks (sent, delivered, read) of each message that was not yet reported.

        Of a reaction only `sent`; of what does not arrive `failed`.
        """
        with self._world.changed:
            all_sent = [m for m in self._world.received if m.platform == "whatsapp"]
            fresh, self._reported = all_sent[self._reported :], len(all_sent)
        return [
            sign_whatsapp(self.status(message, status), app_secret)
            for message in fresh
            for status in self.told(message, ("sent", "delivered", "read"))
        ]

    def told(self, message: Received, statuses: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `statuses` that Meta tells of `message`; `failed` alone of what does not arrive."""
        return self._threads.told(message, statuses)

    def status(self, message: Received, status: str) -> dict[str, Any]:
        """A webhook payload: `message` is now `sent`, `delivered`, `read` or `failed`."""
        told: dict[str, Any] = {
            "id": message.id, "status": status, "timestamp": str(self._world.seconds),
            "recipient_id": message.chat,
        }  # fmt: skip
        if status == "failed":
            code = self._threads.failure(message.id)
            told["errors"] = [{"code": code, "title": FAILURES[code]}]
        if message.correlation is not None:
            told["biz_opaque_callback_data"] = message.correlation
        return self._webhook(str(message.params["phone_number_id"]), {"statuses": [told]})

    def _webhook(self, phone_number_id: str, value: dict[str, Any]) -> dict[str, Any]:
        metadata = {"display_phone_number": NUMBER, "phone_number_id": phone_number_id}
        whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        changes = [{"field": "messages", "value": whole}]
        return {
            "object": "whatsapp_business_account",
            "entry": [{"id": ACCOUNT, "changes": changes}],
        }

    # ── what the bot asks ──

    def speaks(self, path: str) -> bool:
        """Whether a request with this path is for WhatsApp."""
        return bool(_PATH.fullmatch(path) or _DOWNLOAD.fullmatch(path))

    def answer(self, request: Request) -> Answer | None:
        """The answer, or None when the path is not Meta's."""
        if found := _DOWNLOAD.fullmatch(request.path):
            return self._download(found[1], request)
        if not (found := _PATH.fullmatch(request.path)):
            return None
        try:
            self._allow(request)
            return answer_json(self._do(request, found[1], found[2]))
        except _RefusedError as no:
            kind = "GraphMethodException" if no.code in (10, 200) else "OAuthException"
            wrong: dict[str, Any] = {
                "message": f"(#{no.code}) {no}", "type": kind, "code": no.code,
            }  # fmt: skip
            if no.details:
                wrong["error_data"] = {"messaging_product": "whatsapp", "details": no.details}
            return answer_json({"error": wrong | {"fbtrace_id": "A1b2C3"}}, no.status)

    def _allow(self, request: Request) -> None:
        token = request.bearer or request.query.get("access_token")
        if token != self._token if self._token is not None else not token:
            raise _RefusedError(190, "Invalid OAuth access token - Cannot parse access token", 401)

    def _download(self, media_id: str, request: Request) -> Answer:
        """Cloud API, media: the URL needs the same bearer token as every other request."""
        try:
            self._allow(request)
        except _RefusedError:
            return Answer(401)
        found = self._media.get(media_id)
        if found is None:
            return Answer(404)
        return Answer(200, found.data, {"content-type": found.mime_type})

    def _do(self, request: Request, node: str, verb: str | None) -> Any:
        if request.method == "POST" and verb == "messages":
            return self._message(node, request.params)
        if request.method == "POST" and verb == "media":
            return self._upload(request)
        if request.method == "GET" and node == "debug_token" and verb is None:
            return self._debug(request.query)
        if request.method == "GET" and verb == "subscribed_apps":
            return self._subscriptions(node)
        if request.method == "GET" and verb is None:
            return self._look_up(node, request.query.get("fields"))
        raise _RefusedError(100, f"Unsupported {request.method.lower()} request", 400)

    def _debug(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Meta, debug_token: what a token is, asked with the same one or that of its app's developer."""
        asked = query.get("input_token")
        if not asked:
            raise _RefusedError(100, "The parameter input_token is required")
        if self._token is not None and asked != self._token:
            error = {"code": 190, "message": "The access token could not be decrypted"}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        granted = [{"scope": one, "target_ids": [ACCOUNT]} for one in sorted(self.scopes)]
        return {"data": {
            "app_id": APP, "type": "SYSTEM_USER", "application": "Fake app", "is_valid": True,
            "expires_at": self.expires_at, "data_access_expires_at": 0,
            "scopes": sorted(self.scopes), "granular_scopes": granted, "user_id": "100000000000009",
        }}  # fmt: skip

    def _subscriptions(self, account: str) -> dict[str, Any]:
        if "whatsapp_business_management" not in self.scopes or account != ACCOUNT:
            raise _RefusedError(200, "You do not have the necessary permissions", 403)
        return {"data": [
            {"whatsapp_business_api_data": {"id": one, "name": "App", "link": "https://fb.example"}}
            for one in sorted(self.subscribed)
        ]}  # fmt: skip

    def _number(self, node: str, fields: str | None) -> dict[str, Any]:
        """Graph: a field that a node has not fails the whole request; one without a value is left out."""
        if self.numbers is not None and node not in self.numbers:
            raise _RefusedError(100, f"Object with ID '{node}' does not exist", 400)
        hook = {} if self.callback is None else {"application": self.callback}
        known = {
            "display_phone_number": NUMBER, "verified_name": "Fake business",
            "quality_rating": "GREEN", "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API", "webhook_configuration": hook or None,
        }  # fmt: skip
        wanted = [*known][:3] if fields is None else fields.split(",")
        for name in wanted:
            if name != "id" and name not in known:
                raise _RefusedError(100, f"Tried accessing nonexisting field ({name})")
        return {"id": node, **{name: known[name] for name in wanted if known.get(name)}}

    def _look_up(self, node: str, fields: str | None) -> dict[str, Any]:
        found = self._media.get(node)
        if found is None:
            return self._number(node, fields)
        return {
            "messaging_product": "whatsapp",
            "id": node,
            "url": f"{self._world.url}/whatsapp-media/{node}",
            "mime_type": found.mime_type,
            "sha256": hashlib.sha256(found.data).hexdigest(),
            "file_size": len(found.data),
        }

    def _upload(self, request: Request) -> dict[str, str]:
        file = request.files.get("file")
        if file is None or request.form.get("messaging_product") != "whatsapp":
            raise _RefusedError(100, "Invalid parameter")
        mime = file.mime_type.partition(";")[0].strip().lower()
        if mime not in _UPLOADS:
            listed = ", ".join(_UPLOADS)
            raise _RefusedError(
                100, "Param file must be a file with one of the following types: "
                f"{listed}. Received file of type '{mime}'."
            )  # fmt: skip
        if len(file.data) > _UPLOADS[mime]:
            raise _RefusedError(131053, "Media upload error")
        return {"id": self.add_media(file.data, file.mime_type, file.filename)}

    def _message(self, phone_number_id: str, params: dict[str, Any]) -> dict[str, Any]:
        if "whatsapp_business_messaging" not in self.scopes:
            raise _RefusedError(10, "Application does not have permission for this action", 403)
        if params.get("messaging_product") != "whatsapp":
            raise _RefusedError(100, "The parameter messaging_product is required.")
        if params.get("status") == "read":
            self._require(params, "message_id")
            if not self._threads.has_heard(phone_number_id, str(params["message_id"])):
                raise _RefusedError(
                    131009, "Parameter value is not valid", details="Message ID is invalid"
                )
            return {"success": True}
        return self._accept(phone_number_id, params)

    def _accept(self, phone_number_id: str, params: dict[str, Any]) -> dict[str, Any]:
        """Cloud API, messages: `to` wins over `recipient`; the id is that of messages[0]."""
        asked = str(params.get("to") or params.get("recipient") or "")
        kind = params.get("type", "text")
        if not asked:
            raise _RefusedError(100, "The parameter to is required.")
        if kind not in TYPES:
            raise _RefusedError(100, f"Param type must be one of {sorted(TYPES)}")
        self._require(params, kind)
        self._hold(params, kind)
        wamid = _wamid(str(len(self._world.received) + 1))
        text, files = _text(kind, params[kind]), self._files_of(params[kind])
        fit = all(fits(str(kind), file) for file in files)
        self._threads.accepted(phone_number_id, asked.lstrip("+"), wamid, params, fit=fit)
        self._world.receive(Received(
            platform="whatsapp", method=str(kind), chat=asked.lstrip("+"), id=wamid,
            text=text, at=self._world.clock(),
            correlation=params.get("biz_opaque_callback_data"), files=files,
            params={**params, "phone_number_id": phone_number_id},
        ))  # fmt: skip
        contact = {"input": asked, "wa_id" if params.get("to") else "user_id": asked.lstrip("+")}
        return {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [{"id": wamid}],
        }

    def _hold(self, params: dict[str, Any], kind: str) -> None:
        """Against what Meta documents of messages, and of what groups have not."""
        others = TYPES - {kind}
        told = {name: value for name, value in params.items() if name not in others}
        limit = broken(LIMITS, told)
        if limit is not None:
            code, words, details = limit.error
            raise _RefusedError(code, words, details=details)
        group, to = params.get("recipient_type") == "group", params.get("to")
        if to and not group and not _NUMBER.fullmatch(str(to)):
            raise _RefusedError(
                131009, "Parameter value is not valid", details="to is no phone number"
            )
        if group and kind == "interactive":
            raise _RefusedError(131051, "Unsupported message type")

    def _files_of(self, part: Any) -> tuple[Upload, ...]:
        media_id = part.get("id") if isinstance(part, dict) else None
        if media_id is None:
            return ()
        if media_id not in self._media:
            words = "Param id is not a valid whatsapp business account media attachment ID"
            raise _RefusedError(100, words)
        return (self._media[media_id],)

    def _require(self, params: dict[str, Any], name: str) -> None:
        if params.get(name) in (None, ""):
            raise _RefusedError(100, f"The parameter {name} is required.")


def _wamid(unique: str) -> str:
    return f"wamid.{base64.b64encode(f'outeract-fake-{unique}'.encode()).decode()}"


def _text(kind: str, part: Any) -> str:
    """What a reader sees of a message."""
    for name in _TEXT_AT.get(kind, ("caption",)):
        part = part.get(name) if isinstance(part, dict) else None
    return str(part or "")
