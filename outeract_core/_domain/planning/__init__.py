"""What is said, fitted to what a platform can show: content to parts.

This room knows content and manifests; it does not know platforms or how parts are sent. Read
`plan`, which goes from top to bottom as a message does, then what it calls: `choices`,
`attachments`, `kinds`, `parts`.
"""
