"""What is said, fitted to what a platform can show: content to parts, in the order of the steps.

This room knows content and manifests; it does not know platforms or how parts are sent. Read `plan`
(the whole way), `showing` (what the platform can show) with `attachments`, `kinds`, `choices` and `losses`,
then `layout` (one request's worth each) and `parts`; and `changes`, what an edit does to each of them.
"""
