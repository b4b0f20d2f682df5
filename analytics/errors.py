"""What can go wrong, said to people: each error is one sentence or two with what, where, and what to do.

A message never repeats a value from the data: it names the file, the row, the column and the rule, so that it
can be printed, logged and sent by mail.
"""


class IopError(Exception):
    """Base of all errors that are meant for the person at the screen.

    `str(error)` is the whole message; the command line prints it without a traceback and the pages show it as
    it is. An error that is not an `IopError` is a mistake in the program.
    """


class ImportProblem(IopError):
    """A file, a mapping or a batch cannot be read, or is refused; nothing was published."""


class StoreProblem(IopError):
    """The store folder, a snapshot or its pointer is missing, damaged, held by another process or too new."""


class MeasureProblem(IopError):
    """A measure, instrument, cohort or split does not exist, or cannot be computed from this snapshot."""


class UsageProblem(IopError):
    """A command, option or argument is wrong; the command line ends with exit code 2."""


class DisclosureProblem(IopError):
    """A result must not be shown in this tier or to this role, or a release failed its audit."""


class InstrumentProblem(IopError):
    """The TOML of a questionnaire is wrong; the sentence names the file and the key."""
