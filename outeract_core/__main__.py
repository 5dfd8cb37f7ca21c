"""`python -m outeract_core` is the command `outeract`.

Knows: nothing but that. Does not know: the commands. It imports in full, since worker processes read this file outside
of its package.
"""

from outeract_core._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
