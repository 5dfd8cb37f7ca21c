"""One API, one SQLite file and one graph for every messaging platform, inside your own program.

Knows: the public names, and nothing else. Does not know: how any of them works.

    Outeract, App, Message, Delivery         the library, an application, a handler's message
    Content, Attachment, Button, …           what one can say
    Event, User, PlatformUser, File, …       what the store holds
    Standing                                 a message as it stands
    query, Page                              what can be asked
    errors                                   everything raised on purpose
    blocking, testing, adapter, events       the same without a loop; for adapters' authors
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, query
    from ._api.app import App
    from ._api.doing.checking import Check
    from ._api.message import Message
    from ._api.outeract import Organisation, Outeract
    from ._api.snapshot import MessageSnapshot
    from ._io.threads.handover import HandOver
    from ._outbound.handle import Delivery
    from ._outbound.obstacles import Verdict
    from ._outbound.preview import Prospect
    from ._store.reading.undelivered import Undelivered, UndeliveredCount
    from ._store.reading.unhandled import Unhandled, UnhandledCount
    from .adapter import Finding, Response
    from .content import Attachment, Button, Contact, Content, Location, Menu, MenuRow, Template
    from .conversation import Analytics, ConversationSummary, Session, Turn
    from .errors import OuteractError
    from .graph import Explanation, Subgraph
    from .model import (
        Alias,
        Application,
        DeliveryState,
        Edge,
        Event,
        EventSchema,
        File,
        PartState,
        PlatformConnection,
        PlatformUser,
        User,
    )
    from .pages import Page
    from .search import Hit
    from .standing import Standing
    from .tenancy import Quotas, Secret

__version__ = "0.1.0"

__all__ = [
    "Alias",
    "Analytics",
    "App",
    "Application",
    "Attachment",
    "Button",
    "Check",
    "Contact",
    "Content",
    "ConversationSummary",
    "Delivery",
    "DeliveryState",
    "Edge",
    "Event",
    "EventSchema",
    "Explanation",
    "File",
    "Finding",
    "HandOver",
    "Hit",
    "ImportLimits",
    "Location",
    "Menu",
    "MenuRow",
    "Message",
    "MessageSnapshot",
    "Organisation",
    "Outeract",
    "OuteractError",
    "Page",
    "PartState",
    "PlatformConnection",
    "PlatformUser",
    "Prospect",
    "Quotas",
    "Response",
    "Secret",
    "Session",
    "Standing",
    "Subgraph",
    "Template",
    "Turn",
    "Undelivered",
    "UndeliveredCount",
    "Unhandled",
    "UnhandledCount",
    "User",
    "Verdict",
    "errors",
    "query",
]

_HOMES = {
    "_api.app": ("App",),
    "_api.doing.checking": ("Check",),
    "_api.maintenance.import_file": ("ImportLimits",),
    "_io.threads.handover": ("HandOver",),
    "_outbound.handle": ("Delivery",),
    "_api.outeract": ("Organisation", "Outeract"),
    "_outbound.preview": ("Prospect",),
    "_outbound.obstacles": ("Verdict",),
    "_api.message": ("Message",),
    "_api.snapshot": ("MessageSnapshot",),
    "_store.reading.undelivered": ("Undelivered", "UndeliveredCount"),
    "_store.reading.unhandled": ("Unhandled", "UnhandledCount"),
    "adapter": ("Finding", "Response"),
    "content": (
        "Attachment",
        "Button",
        "Contact",
        "Content",
        "Location",
        "Menu",
        "MenuRow",
        "Template",
    ),
    "conversation": ("Analytics", "ConversationSummary", "Session", "Turn"),
    "standing": ("Standing",),
    "errors": ("OuteractError",),
    "graph": ("Explanation", "Subgraph"),
    "model": (
        "Alias",
        "Application",
        "DeliveryState",
        "PartState",
        "Edge",
        "Event",
        "EventSchema",
        "File",
        "PlatformConnection",
        "PlatformUser",
        "User",
    ),
    "pages": ("Page",),
    "search": ("Hit",),
    "tenancy": ("Quotas", "Secret"),
}
"""Where each public name lives; it is imported when it is first asked for, so importing costs little."""


def __getattr__(name: str) -> Any:
    """The public name, from its home. Raises AttributeError for any other."""
    if name in ("errors", "query"):
        return import_module(f"{__name__}.{name}")
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
