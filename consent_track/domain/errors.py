"""The few exceptions, all with one root and carrying data. A lawful "no" is never one of them: it is a value."""

from collections.abc import Iterable
from dataclasses import dataclass


class ConsentTrackError(Exception):
    """Root of everything this package raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: the name of a setting, a file and key, or a field."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Refused(ConsentTrackError):
    """Raised when input or an installation is wrong; it carries every problem at once, never only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def one(cls, where: str, what: str) -> "Refused":
        return cls([Problem(where, what)])


class ConfigurationRefused(Refused):
    """Raised at start-up when settings, keys or the home folder cannot be used."""


class PolicyRefused(Refused):
    """Raised when a rule pack does not load; `where` is `file: key`."""


class InputRefused(Refused):
    """Raised when a command, a form or an API call carries something we cannot take; `where` is the field."""


class ForgedToken(ConsentTrackError):
    """Raised when a token is not ours, not whole, or used where it has no power. Carries no detail on purpose."""


class KeyMisuse(ConsentTrackError):
    """Raised when a key is asked to do another key's job (GDPR Art. 32; one key, one usage)."""


class StorageUnavailable(ConsentTrackError):
    """Raised when a store cannot be read or written in time; doors answer 503, the collector records nothing."""


class SendFailed(ConsentTrackError):
    """Raised when a mail could not be handed over. `permanent`: the same mail will never be taken (RFC 5321 4.2.1)."""

    def __init__(self, what: str, *, permanent: bool) -> None:
        self.permanent = permanent
        super().__init__(what)
