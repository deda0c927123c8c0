"""What one check found: fine, or wrong with a remedy."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import AuthError, ConfigError
from deploy.exits import FOUND, WRONG, code_of
from deploy.project_problems import ProjectProblem

GOOD = "ok"
PROBLEM = "problem"
NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """One line of the result. `of` is what was looked at; `code` is the exit code that it stands for."""

    check: str
    of: str
    result: str
    message: str
    remedy: str = ""
    code: int = 0

    def row(self) -> dict[str, object]:
        """The finding as a row."""
        row: dict[str, object] = {"check": self.check, "of": self.of, "result": self.result}
        return {**row, "message": self.message, "remedy": self.remedy}


def good(check: str, of: str, message: str = "") -> Finding:
    """Nothing is to be done."""
    return Finding(check, of, GOOD, message)


def bad(check: str, of: str, message: str, remedy: str, code: int = FOUND) -> Finding:
    """Something is to be done."""
    return Finding(check, of, PROBLEM, message, remedy, code)


def not_checked(check: str, why: str) -> Finding:
    """What could not be looked at."""
    return Finding(check, "", NOT_CHECKED, why)


def of_project(problem: ProjectProblem) -> Finding:
    """A problem of lineshaft.yaml."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    subject = f"{problem.field} " if problem.field else ""
    return bad("config", place, f"{subject}{problem.problem}", problem.remedy, WRONG)


def of_error(check: str, of: str, error: Exception) -> Finding:
    """An error that a person can do something about. Raises it again where it is a defect of ours."""
    code = code_of(error)
    if code is None:
        raise error
    if isinstance(error, ConfigError):
        return bad(check, of, f"{error.field}: {error.problem}", error.remedy, code)
    if isinstance(error, AuthError):
        return bad(check, of, str(error), f"Correct how {of.split()[0]} logs in, in lineshaft.yaml.", code)
    message, _, remedy = str(error).partition("\n")
    return bad(check, of, message, remedy.strip(), code)
