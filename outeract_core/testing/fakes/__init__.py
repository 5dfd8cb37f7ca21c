"""Platforms on a loopback port that behave as the real ones do, and no kinder.

This room knows the platforms' side of the wire; it does not know the library. Read `platform`, then
`telegram` (with `telegram_chats`, `telegram_files`, `telegram_html`, `telegram_aside`, `telegram_hook`,
`telegram_params`), `slack` (with `slack_directory`, `slack_messages`, `slack_params`), `whatsapp` (with `whatsapp_threads`); `limits/` (what
they document of what they take); `record` (what they saw), `faults`, `courier` (webhooks), `control` (steering over HTTP),
`loopback` (the server).
"""
