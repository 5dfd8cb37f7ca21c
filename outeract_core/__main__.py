"""`python -m outeract_core` is the command `outeract`.

Knows: nothing but that. Does not know: the commands.
"""

from ._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
