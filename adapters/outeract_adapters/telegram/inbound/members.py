"""The members of Message: which say something about it, which are service messages, which are twins.

Knows: the names of the Bot API up to 10.3, and which stand in for another.
Does not know: what any of them holds.
"""

from __future__ import annotations

from typing import Any

from ..fields import Object

__all__ = ["AROUND", "SERVICE", "happened", "present"]

AROUND = frozenset({
    "message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat",
    "sender_boost_count", "sender_business_bot", "sender_tag", "date", "guest_query_id",
    "business_connection_id", "chat", "forward_origin", "is_topic_message",
    "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story",
    "reply_to_checklist_task_id", "reply_to_poll_option_id", "via_bot",
    "guest_bot_caller_user", "guest_bot_caller_chat", "edit_date", "has_protected_content",
    "is_from_offline", "is_paid_post", "media_group_id", "author_signature", "paid_star_count",
    "link_preview_options", "suggested_post_info", "effect_id", "caption", "caption_entities",
    "entities", "show_caption_above_media", "has_media_spoiler", "reply_markup",
    "receiver_user", "ephemeral_message_id",
    # before Bot API 7.0, and still sent beside `forward_origin`
    "forward_from", "forward_from_chat", "forward_from_message_id", "forward_signature",
    "forward_sender_name", "forward_date",
})  # fmt: skip
"""Members that say something about a message, not what it is."""

SERVICE = (
    "new_chat_members", "left_chat_member", "chat_owner_left", "chat_owner_changed", "new_chat_title",
    "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created",
    "channel_chat_created", "message_auto_delete_timer_changed", "migrate_to_chat_id",
    "migrate_from_chat_id", "pinned_message", "successful_payment", "refunded_payment",
    "users_shared", "chat_shared", "gift", "unique_gift", "gift_upgrade_sent", "connected_website",
    "write_access_allowed", "passport_data", "proximity_alert_triggered", "boost_added",
    "chat_background_set", "checklist_tasks_done", "checklist_tasks_added", "community_chat_added",
    "community_chat_removed", "community_chat_joined", "direct_message_price_changed",
    "forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened",
    "general_forum_topic_hidden", "general_forum_topic_unhidden", "giveaway_created",
    "giveaway_completed", "managed_bot_created", "paid_message_price_changed", "poll_option_added",
    "poll_option_deleted", "suggested_post_approved", "suggested_post_approval_failed",
    "suggested_post_declined", "suggested_post_paid", "suggested_post_refunded",
    "video_chat_scheduled", "video_chat_started", "video_chat_ended",
    "video_chat_participants_invited", "web_app_data",
)  # fmt: skip
"""Bot API 10.3, Message: the service messages, in the order in which one is preferred."""

_TWINS = {
    "new_chat_participant": "new_chat_members",
    "new_chat_member": "new_chat_members",
    "left_chat_participant": "left_chat_member",
    "user_shared": "users_shared",
    "voice_chat_scheduled": "video_chat_scheduled",
    "voice_chat_started": "video_chat_started",
    "voice_chat_ended": "video_chat_ended",
    "voice_chat_participants_invited": "video_chat_participants_invited",
}
"""Names of former versions: Telegram still sends some of them beside the new ones."""
_RANK = {name: rank for rank, name in enumerate(SERVICE)}


def present(value: Any) -> bool:
    """Whether a member says anything: a flag that is false, or a list of nothing, does not."""
    return value is not None and value is not False and value != []


def happened(body: Object) -> tuple[str, Any] | None:
    """`(name, content)` of the service message, whatever the order of the members; None for none.

    Known names go before others, which may be anything that a later version adds; a former name is
    told as the new one.
    """
    held = {name: value for name, value in body.items() if name not in AROUND and present(value)}
    for twin, name in _TWINS.items():
        if twin in held:
            held.setdefault(name, held.pop(twin))
    known = min(held, key=lambda name: (_RANK.get(name, len(_RANK)), name), default=None)
    return None if known is None else (known, held[known])
