"""Units of work on who holds what, when several processes work on one file.

This room knows leases; it does not know what is done under them. Read `ownership` (who works for which
application), `profiles` (of whom a platform is asked, and what it tells).
"""
