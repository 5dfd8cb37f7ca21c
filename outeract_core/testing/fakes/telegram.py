"""The Bot API as far as bots use it: what api.telegram.org would answer.

Knows: methods, updates and their confirmation, files, refusals in Telegram's words.
Does not know: HTTP servers, which method fits which message (`telegram_chats.py`), what becomes of an
upload (`telegram_files.py`). Only `parse_mode=HTML` is read. Source of shapes and limits: Bot API 10.3.
"""

from __future__ import annotations

import re
from typing import Any

from .limits.telegram import FETCHED, fault
from .record import Answer, Received, Request, Upload, World, answer_json
from .telegram_aside import Asides, NotAllowedError
from .telegram_chats import Chats, RefusedError
from .telegram_files import shown_as, together
from .telegram_hook import BadWebhookError, brought, described, replaced
from .telegram_params import chat_of, decoded, extras, formatted

__all__ = ["FakeTelegram"]

BOT = {"id": 777000111, "is_bot": True, "first_name": "Fake bot", "username": "fake_bot"}
_METHOD = re.compile(r"/bot([^/]+)/(?:test/)?(\w+)")
_FILE = re.compile(r"/file/bot([^/]+)/(.+)")
_MEDIA = {
    "sendphoto": "photo", "senddocument": "document", "sendvideo": "video", "sendaudio": "audio",
    "sendvoice": "voice", "sendanimation": "animation", "sendsticker": "sticker",
    "sendvideonote": "video_note",
}  # fmt: skip
_DETAILS: dict[str, dict[str, Any]] = {
    "photo": {"width": 90, "height": 90},
    "video": {"width": 320, "height": 240, "duration": 1},
    "animation": {"width": 320, "height": 240, "duration": 1},
    "audio": {"duration": 1},
    "voice": {"duration": 1},
    "video_note": {"length": 240, "duration": 1},
    "sticker": {
        "width": 512, "height": 512, "type": "regular", "is_animated": False, "is_video": False,
    },
}  # fmt: skip
_TRUE = frozenset({
    "setmycommands", "deletemycommands", "setmydescription", "setmyname", "logout", "close",
})  # fmt: skip


class FakeTelegram:
    """The player. `say`, `push`: what getUpdates will yield. `add_file`: what getFile will find."""

    def __init__(self, world: World, token: str | None = None) -> None:
        self._world = world
        self._token = token
        self._chats = Chats(world)
        self._files: dict[str, tuple[str, bytes]] = {}
        self._portraits: dict[str, str] = {}
        self._updates: list[dict[str, Any]] = []
        self._update_id = 100
        self.asides = Asides()
        self.webhook: dict[str, Any] = {"url": ""}
        """What the last setWebhook asked for; `last_error_message` and `last_error_date` may be added."""

    # ── what people do ──

    def say(self, chat_id: int, text: str, **more: Any) -> dict[str, Any]:
        """An update in which a person writes `text` in `chat_id`; `more` goes into the message.

        It is queued for getUpdates and returned, to be signed with `sign_telegram` for a webhook.
        """
        person = {"id": abs(chat_id), "is_bot": False, "first_name": f"Person {abs(chat_id)}"}
        message = {**self._skeleton(str(chat_id)), "from": person, "text": text, **more}
        self._chats.heard(str(chat_id), message["message_id"], message.get("message_thread_id"))
        if topic := message.get("direct_messages_topic"):
            self._chats.direct.setdefault(str(chat_id), set()).add(int(topic["topic_id"]))
        return self.push({"message": message})

    def forget(self, chat_id: int, message_id: int) -> None:
        """A person has deleted a message of the bot's; Telegram tells bots nothing of that."""
        self._chats.forget(str(chat_id), message_id)

    def leave(self, chat_id: int, reason: str = "bot was blocked by the user") -> dict[str, Any]:
        """The update that a person has blocked the bot, or a group removed it: sending is refused now."""
        self._chats.closed[str(chat_id)] = reason
        return self._moved(chat_id, "member", "kicked")

    def come_back(self, chat_id: int) -> dict[str, Any]:
        """The update that it was let in again."""
        self._chats.closed.pop(str(chat_id), None)
        return self._moved(chat_id, "kicked", "member")

    def _moved(self, chat_id: int, old: str, new: str) -> dict[str, Any]:
        person = {"id": abs(chat_id), "is_bot": False, "first_name": f"Person {abs(chat_id)}"}
        until = {"until_date": 0} if new == "kicked" else {}
        return self.push({"my_chat_member": {
            "chat": chat_of(str(chat_id)), "from": person, "date": self._world.seconds,
            "old_chat_member": {"user": BOT, "status": old},
            "new_chat_member": {"user": BOT, "status": new, **until},
        }})  # fmt: skip

    def whisper(self, chat_id: int, user_id: int, text: str, **more: Any) -> dict[str, Any]:
        """An update in which a member of a group says `text` to the bot alone (an ephemeral command)."""
        person = {"id": user_id, "is_bot": False, "first_name": f"Person {user_id}"}
        shown = self.asides.heard(str(chat_id), user_id, self._world.seconds)
        message = {
            "message_id": 0, "ephemeral_message_id": shown, "date": self._world.seconds,
            "chat": chat_of(str(chat_id)), "from": person, "receiver_user": BOT, "text": text,
        }  # fmt: skip
        return self.push({"message": {**message, **more}})

    def push(self, update: dict[str, Any]) -> dict[str, Any]:
        """Queue an update for getUpdates under the next update_id; the update."""
        with self._world.changed:
            self._update_id += 1
            found = {"update_id": self._update_id, **update}
            if query := update.get("callback_query"):
                self.asides.pressed(str(query["id"]), self._world.seconds)
            self._updates.append(found)
            self._world.changed.notify_all()
            return found

    def add_file(self, data: bytes, name: str = "file.bin") -> str:
        """The file_id under which getFile finds `data`."""
        with self._world.changed:
            file_id = f"FILE{len(self._files) + 1:08d}"
            self._files[file_id] = (f"documents/{len(self._files) + 1}/{name}", data)
            return file_id

    # ── what the bot asks ──

    def speaks(self, path: str) -> bool:
        """Whether a request with this path is for Telegram."""
        return bool(_METHOD.fullmatch(path) or _FILE.fullmatch(path))

    def answer(self, request: Request) -> Answer | None:
        """The answer, or None when the path is not Telegram's."""
        if found := _FILE.fullmatch(request.path):
            return self._download(*found.groups())
        if not (found := _METHOD.fullmatch(request.path)):
            return None
        try:
            self._allow(found[1])
            return answer_json({"ok": True, "result": self._do(found[2].lower(), request)})
        except NotAllowedError as no:
            wrong = {"ok": False, "error_code": 400, "description": f"Bad Request: {no}"}
            return answer_json(wrong, 400)
        except RefusedError as no:
            wrong = {"ok": False, "error_code": no.status, "description": str(no)}
            return answer_json(wrong, no.status)

    def _allow(self, token: str) -> None:
        if token != self._token if self._token is not None else not token:
            raise RefusedError(401, "Unauthorized")

    def _download(self, token: str, path: str) -> Answer:
        try:
            self._allow(token)
        except RefusedError as no:
            return answer_json({"ok": False, "error_code": 401, "description": str(no)}, 401)
        for where, data in self._files.values():
            if where == path:
                return Answer(200, data, {"content-type": "application/octet-stream"})
        return answer_json({"ok": False, "error_code": 404, "description": "Not Found"}, 404)

    def _do(self, method: str, request: Request) -> Any:
        params = request.params
        markup = decoded(params.get("reply_markup"))
        wrong = fault(method, {**params, "reply_markup": markup} if markup else params)
        if wrong is not None:
            raise RefusedError(400, f"Bad Request: {wrong}")
        if method in _MEDIA:
            return self._send_media(method, request)
        if method in _TRUE:
            return True
        if method.startswith(("editephemeral", "deleteephemeral")):
            return self.asides.change(method, params)
        handler = getattr(self, f"_do_{method}", None)
        if handler is None:
            raise RefusedError(404, "Not Found")
        return handler(request) if method == "sendmediagroup" else handler(params)

    # ── messages ──

    def _skeleton(self, chat: str) -> dict[str, Any]:
        number = self._chats.number(chat)
        return {"message_id": number, "date": self._world.seconds, "chat": chat_of(chat)}

    def _post(self, params: dict[str, Any], body: dict[str, Any], **note: Any) -> dict[str, Any]:
        chat = self._place(params)
        self._chats.threaded(chat, int(params.get("message_thread_id") or 0))
        self._chats.directed(chat, int(params.get("direct_messages_topic_id") or 0))
        self._chats.answered(chat, decoded(params.get("reply_parameters")))
        aside = self.asides.check(params, chat, self._world.seconds)
        message = {**self._skeleton(chat), "from": BOT, **body, **extras(params)}
        if aside is None or note.get("method") == "sendMediaGroup":
            self._chats.keep(chat, message)
        else:
            message = self.asides.keep(chat, int(aside["receiver_user_id"]), message)
        self._world.receive(Received(
            platform="telegram", chat=chat, id=str(message["message_id"]),
            text=str(body.get("text") or body.get("caption") or ""), at=self._world.clock(),
            params=params, **note,
        ))  # fmt: skip
        return message

    def _place(self, params: dict[str, Any]) -> str:
        """The chat that is meant, if something can be sent there."""
        chat = str(params.get("chat_id", ""))
        if not chat:
            raise RefusedError(400, "Bad Request: chat_id is empty")
        if not re.fullmatch(r"-?[1-9]\d*|@\w+", chat):
            raise RefusedError(400, "Bad Request: chat not found")
        self._chats.open(chat)
        return chat

    def _do_sendchataction(self, params: dict[str, Any]) -> Any:
        self._place(params)
        return True

    def _do_answercallbackquery(self, params: dict[str, Any]) -> Any:
        """A press is answered once, and not for ever."""
        if not self.asides.answered(str(params.get("callback_query_id")), self._world.seconds):
            raise RefusedError(
                400,
                "Bad Request: query is too old and response timeout expired or query ID is invalid",
            )
        return True

    def _do_sendmessage(self, params: dict[str, Any]) -> Any:
        text, entities = formatted(params, "text", 4096)
        if not text.strip():
            raise RefusedError(400, "Bad Request: message text is empty")
        body = {"text": text, **({"entities": entities} if entities else {})}
        return self._post(params, body, method="sendMessage")

    def _do_sendlocation(self, params: dict[str, Any]) -> Any:
        place = {name: float(params[name]) for name in ("latitude", "longitude")}
        return self._post(params, {"location": place}, method="sendLocation")

    def _do_sendvenue(self, params: dict[str, Any]) -> Any:
        place = {name: float(params[name]) for name in ("latitude", "longitude")}
        venue = {"location": place, "title": params["title"], "address": params["address"]}
        return self._post(params, {"location": place, "venue": venue}, method="sendVenue")

    def _do_sendcontact(self, params: dict[str, Any]) -> Any:
        names = ("phone_number", "first_name", "last_name")
        card = {name: params[name] for name in names if params.get(name)}
        return self._post(params, {"contact": card}, method="sendContact")

    def _send_media(self, method: str, request: Request) -> Any:
        kind = _MEDIA[method]
        body, uploads = self._media(request, request.params | {"type": kind}, kind)
        name = f"send{''.join(word.title() for word in kind.split('_'))}"
        return self._post(request.params, body, method=name, files=uploads)

    def _do_sendmediagroup(self, request: Request) -> Any:
        items = decoded(request.params.get("media")) or []
        if not 2 <= len(items) <= 10:
            raise RefusedError(
                400, "Bad Request: there must be from 2 to 10 media to send in an album"
            )
        album = {"media_group_id": str(self._world.seconds)}
        together([item.get("type", "") for item in items])
        bodies = [self._media(request, item, "media") for item in items]
        return [
            self._post(request.params, body | album, method="sendMediaGroup", files=uploads)
            for body, uploads in bodies
        ]

    def _media(
        self, request: Request, item: dict[str, Any], field: str
    ) -> tuple[dict[str, Any], tuple[Upload, ...]]:
        kind, caption = item["type"], formatted(item, "caption", 1024)
        value = str(item.get(field) or "")
        upload = request.files.get(value.removeprefix("attach://") or field)
        if upload is None and value not in self._files and not value.startswith("http"):
            raise RefusedError(400, f"Bad Request: there is no {field} in the request")
        kind = shown_as(kind, upload) if upload else kind
        file_id = self.add_file(upload.data, upload.filename) if upload else value
        shape = self._file(file_id, upload) | _DETAILS.get(kind, {})
        body: dict[str, Any] = {kind: [shape] if kind == "photo" else shape}
        if caption[0]:
            body |= {"caption": caption[0], "caption_entities": caption[1]}
        return body, (upload,) if upload else ()

    def _file(self, file_id: str, upload: Upload | None) -> dict[str, Any]:
        shape = {"file_id": file_id, "file_unique_id": f"u{file_id}"}
        if upload is None:
            return shape
        about = {"file_size": len(upload.data), "mime_type": upload.mime_type}
        return shape | about | {"file_name": upload.filename}

    # ── changes ──

    def _edit(self, params: dict[str, Any], field: str, limit: int) -> Any:
        text, entities = formatted(params, field, limit)
        if field == "text" and not text.strip():
            raise RefusedError(400, "Bad Request: message text is empty")
        told = {field: text, "entities" if field == "text" else "caption_entities": entities}
        return self._chats.edited(params, told | extras(params), field)

    def _do_editmessagetext(self, params: dict[str, Any]) -> Any:
        return self._edit(params, "text", 4096)

    def _do_editmessagecaption(self, params: dict[str, Any]) -> Any:
        return self._edit(params, "caption", 1024)

    def _do_editmessagereplymarkup(self, params: dict[str, Any]) -> Any:
        return self._chats.edited(params, extras(params), "")

    def _do_deletemessage(self, params: dict[str, Any]) -> Any:
        self._chats.deleted(params)
        return True

    def _do_deletemessages(self, params: dict[str, Any]) -> Any:
        numbers = decoded(params.get("message_ids")) or []
        self._chats.all_deleted(str(params.get("chat_id")), [int(number) for number in numbers])
        return True

    def _do_setmessagereaction(self, params: dict[str, Any]) -> Any:
        self._chats.reacted(params, decoded(params.get("reaction")) or [])
        return True

    # ── the bot, its updates, its files ──

    def _do_getme(self, _: dict[str, Any]) -> Any:
        return BOT | {"can_join_groups": True, "can_read_all_group_messages": False}

    def portray(self, chat_id: int, data: bytes) -> None:
        """From now on this is the picture of a person or group; `b""` takes it away."""
        self._portraits.pop(str(chat_id), None)
        if data:
            self._portraits[str(chat_id)] = self.add_file(data, "photo.jpg")

    def _do_getchat(self, params: dict[str, Any]) -> Any:
        """Bot API, ChatFullInfo. A chat that the bot has never been in does not exist for it."""
        chat = str(params.get("chat_id", ""))
        if not self._chats.knows(chat) or not re.fullmatch(r"-?\d+", chat):
            raise RefusedError(400, "Bad Request: chat not found")
        told = chat_of(chat) | {"accent_color_id": 0, "max_reaction_count": 11}
        photo = self._portraits.get(chat)
        if photo is not None:
            sizes = {f"{size}_{what}": f"{photo}" if what == "file_id" else f"u{photo}"
                     for size in ("small", "big") for what in ("file_id", "file_unique_id")}  # fmt: skip
            told["photo"] = sizes
        return told

    def _do_getuserprofilephotos(self, params: dict[str, Any]) -> Any:
        """The pictures of a user whom the bot has met, newest first, each in its sizes."""
        photo = self._portraits.get(str(params.get("user_id", "")))
        sizes = [{**self._file(photo, None), "width": 640, "height": 640}] if photo else []
        return {"total_count": len(sizes[:1]), "photos": [sizes] if sizes else []}

    def _do_setwebhook(self, params: dict[str, Any]) -> Any:
        try:
            self.webhook = replaced(self.webhook, params)
        except BadWebhookError as no:
            raise RefusedError(400, f"Bad Request: {no}") from None
        return True

    def _do_deletewebhook(self, _: dict[str, Any]) -> Any:
        self.webhook = {**self.webhook, "url": ""}
        return True

    def _do_getwebhookinfo(self, _: dict[str, Any]) -> Any:
        return described(self.webhook, len(self._updates))

    def _do_getupdates(self, params: dict[str, Any]) -> Any:
        """Bot API: an update is confirmed by a call with an offset above its update_id."""
        if self.webhook["url"]:
            raise RefusedError(409, "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first")  # fmt: skip
        offset, limit = int(params.get("offset") or 0), int(params.get("limit") or 100)
        if params.get("allowed_updates") is not None:
            self.webhook = {**self.webhook, "allowed_updates": decoded(params["allowed_updates"])}
        if offset > 0:
            self._updates = [u for u in self._updates if u["update_id"] >= offset]
        self._world.wait(lambda: bool(self._asked()), float(params.get("timeout") or 0))
        return self._asked()[offset if offset < 0 else 0 :][: max(1, min(limit, 100))]

    def _asked(self) -> list[dict[str, Any]]:
        """The updates of the kinds that the bot has asked for, last by whatever method."""
        return [update for update in self._updates if brought(self.webhook, update)]

    def _do_getfile(self, params: dict[str, Any]) -> Any:
        file_id = str(params.get("file_id"))
        if file_id not in self._files:
            raise RefusedError(400, "Bad Request: invalid file_id")
        path, data = self._files[file_id]
        if len(data) > FETCHED:
            raise RefusedError(400, "Bad Request: file is too big")
        return self._file(file_id, None) | {"file_size": len(data), "file_path": path}
