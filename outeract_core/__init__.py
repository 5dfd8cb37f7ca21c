"""One API, one SQLite file and one graph for every messaging platform, inside your own program.

Knows: the public names, and nothing else. Does not know: how any of them works.

    Outeract, App, Message, Delivery         the library, an application, a handler's message
    Content, Attachment, Button, …           what one can say
    Event, User, PlatformUser, File, …       what the store holds
    query, Page                              what can be asked
    errors                                   everything raised on purpose
    blocking, testing, adapter, events       the same without a loop; for adapters' authors
"""

from . import errors, query
from ._app import App
from ._delivery_handle import Delivery
from ._outeract import Organisation, Outeract
from ._turn import Message
from .adapter import Response
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
    PlatformConnection,
    PlatformUser,
    User,
)
from .pages import Page

__version__ = "0.1.0"

__all__ = [
    "Alias",
    "Analytics",
    "App",
    "Application",
    "Attachment",
    "Button",
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
    "Location",
    "Menu",
    "MenuRow",
    "Message",
    "Organisation",
    "Outeract",
    "OuteractError",
    "Page",
    "PlatformConnection",
    "PlatformUser",
    "Response",
    "Session",
    "Subgraph",
    "Template",
    "Turn",
    "User",
    "errors",
    "query",
]
