"""What goes wrong on the user's side, as opposed to a mistake of ours."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can mend: a file, a value, an option.

    Its text is one message that names the file (and line), record or option,
    what was expected and what was found. The command line prints it without
    a traceback and exits with 1.
    """
