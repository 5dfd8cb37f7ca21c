"""Secrets: how one is named, who may name it, and for whom the name is followed.

This room knows the environment and files of secrets; it does not know platforms, nor what a secret is
good for. `references` follows names, `configs` reads what `connect` was given and binds what it names
to its connection. `striking` takes them out of what is told. `mended` sees that who was refused has other ones now. `key` is what addresses and codes follow from, `keeping` brings it and its file together.
"""
