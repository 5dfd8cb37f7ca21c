"""WhatsApp keeps the contract of all adapters, also over HTTP against a fake Cloud API."""

from __future__ import annotations

import json
from collections.abc import Iterable

from outeract_core.adapter import Call, Inbound, Reply
from outeract_core.testing import AdapterContract, Sample, post, reply, sign_whatsapp
from tests.support.whatsapp.samples import CONFIG, NOW, request, samples


class TestWhatsApp(AdapterContract):
    """What core relies on."""

    platform = "whatsapp"
    config = CONFIG

    def samples(self) -> Iterable[Sample]:
        """Every sample of the repository, a picture first."""
        found = samples()
        for name in sorted(found, key=lambda name: (name != "image", name)):
            inbound = post(sign_whatsapp(found[name]["body"], self.config["app_secret"]), NOW)
            yield Sample(name, inbound, tuple(fact["kind"] for fact in found[name]["facts"]))

    def tampered(self) -> Iterable[Inbound]:
        """Signed with the verify token, with the access token, and by SHA-1 alone."""
        body = samples()["text"]["body"]
        yield request(body, CONFIG["verify_token"])
        yield request(body, CONFIG["access_token"])
        headers = {"x-hub-signature": "sha1=" + "0" * 40}
        yield Inbound("POST", headers, {}, json.dumps(body).encode(), NOW)

    def replies(self, call: Call) -> Reply:
        """The Cloud API when all goes well."""
        if call.url.endswith("/media"):
            return reply({"id": "7100"})
        if call.method == "GET":
            url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=7001"
            return reply({"id": "7001", "url": url, "mime_type": "image/jpeg"})
        if (call.json or {}).get("status") == "read":
            return reply({"success": True})
        contact = {"input": "491700000001", "wa_id": "491700000001"}
        answer = {"contacts": [contact], "messages": [{"id": "wamid.OUT100"}]}
        return reply({"messaging_product": "whatsapp", **answer})
