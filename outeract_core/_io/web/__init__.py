"""Door two: a call goes over the network, to whom it may go, and its answer comes back.

This room knows httpx, alone; it does not know platforms, retries or the store. Read `http` (a flow is
carried, a file is fetched), then `requests` (a call becomes a request), `addresses` (where one may go,
and who trusts what), `proxies`, `tls` (whom TLS believes), `departure` (whether it has left), `bodies` (what comes back) and `answers`
(unpacked). `loggers` keeps secrets out of what the libraries log.
"""
