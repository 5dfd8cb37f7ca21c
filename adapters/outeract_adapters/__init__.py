"""The platforms that ship with outeract_core; each is registered by entry point, as any other.

This room knows platforms: `telegram`, `slack` and `whatsapp`, and what two of them share: `members`
(reading JSON that anybody may have shaped), `marks` (markup with asterisks), `e164` (telephone
numbers), `meta` and `meta_graph` (what WhatsApp has in common with its siblings). `console` is the
smallest whole one: begin there. It does not know core's private rooms.
"""
