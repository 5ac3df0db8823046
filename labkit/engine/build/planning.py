"""What all instructions of a Dockerfile are worked out with: settings, checks, and words with their variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from labkit.engine.dockerfile.errors import DockerfileError, Lines
from labkit.engine.dockerfile.expand import ExpandError, Expansion, Lexer
from labkit.engine.dockerfile.lint import Linter
from labkit.engine.dockerfile.suggest import suggestion

from .stagestate import PlanSettings, StageState

NOT_IN_ENV = ("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE")


@dataclass
class Planning:
    settings: PlanSettings
    lint: Linter
    lexer: Lexer = field(default_factory=Lexer)
    globals: dict[str, str] = field(default_factory=dict)  # arguments before the first FROM
    context_paths: dict[str, None] = field(default_factory=dict)  # what is copied from the build context

    def expand(self, word: str, env: Mapping[str, str], place: Lines, lexer: Lexer | None = None) -> Expansion:
        try:
            return (lexer or self.lexer).expand(word, env)
        except ExpandError as error:
            raise DockerfileError(str(error), place) from None

    def word(self, state: StageState, word: str, place: Lines, lexer: Lexer | None = None) -> str:
        """A word with the stage's variables; those it does not know are warned of."""
        found = self.expand(word, state.env, place, lexer)
        self._warn_undefined(state, found.unmatched, place)
        return found.text

    def _warn_undefined(self, state: StageState, names: Iterable[str], place: Lines) -> None:
        declared = {name for name, _ in state.args}
        for name in names:
            if name in declared or name in NOT_IN_ENV:
                continue
            meant = suggestion(name, state.env)
            self.lint.warn("UndefinedVar", place, name, f" (did you mean ${meant}?)" if meant else "")

    def step_name(self, state: StageState, text: str, lexer: Lexer | None = None) -> str:
        """A step's name: the line with its variables, its keyword in capitals."""
        with suppress(ExpandError):
            text = (lexer or self.lexer).expand(text, state.env).text
        keyword, blank, rest = text.partition(" ")
        return state.prefixed(f"{keyword.upper()}{blank}{rest}")
