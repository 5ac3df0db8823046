"""set and getopts."""

from __future__ import annotations

from typing import NamedTuple

from labkit.shell.builtins.saying import NAME, fail, say, single_quoted
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.running import FIRST_OPTION, Shell

_OPTIONS = {  # in the order of `set -o`
    "errexit": "e",
    "noglob": "f",
    "ignoreeof": "I",
    "monitor": "m",
    "noexec": "n",
    "xtrace": "x",
    "verbose": "v",
    "vi": "V",
    "emacs": "E",
    "noclobber": "C",
    "allexport": "a",
    "notify": "b",
    "nounset": "u",
    "pipefail": "pipefail",
}


_SHOPT = (  # those of bash that are on from the start, and further ones
    frozenset("cmdhist complete_fullquote extquote force_fignore hostcomplete interactive_comments progcomp "
              "promptvars sourcepath".split()),
    frozenset("autocd cdable_vars cdspell checkhash checkjobs checkwinsize direxpand dirspell dotglob execfail "
              "expand_aliases extdebug extglob failglob globstar gnu_errfmt histappend histreedit histverify huponexit "
              "inherit_errexit lastpipe lithist localvar_inherit localvar_unset login_shell mailwarn nocaseglob "
              "nocasematch no_empty_cmd_completion nullglob patsub_replacement progcomp_alias restricted_shell "
              "shift_verbose varredir_close xpg_echo".split()),
)  # fmt: skip
_LETTERS = frozenset("abCefhmnuvxBEHTIV")


def set_(shell: Shell, args: list[str]) -> int:
    env = shell.env
    if len(args) == 1:
        names = sorted(env.variables)
        quote = (
            single_quoted
            if shell.dialect is not BASH
            else lambda value: value if value.isalnum() else single_quoted(value)
        )
        shell.out("".join(f"{name}={quote(env.variables[name])}\n" for name in names))
        return 0
    rest = _set_options(shell, args)
    if rest is not None:
        env.arguments = rest
        shell.next_option = FIRST_OPTION
    return 0


def _set_options(shell: Shell, args: list[str]) -> list[str] | None:
    """Do the options; the positional parameters that follow, None where there are none to set."""
    place = 1
    while place < len(args):
        arg = args[place]
        if arg in ("--", "-") or (arg == "+" and shell.dialect is not BASH):
            return args[place + 1 :] if arg == "--" or place + 1 < len(args) else None
        if arg[:1] not in ("-", "+") or len(arg) < 2:
            return args[place:]
        place += 1
        if arg[1:] == "o":
            if place == len(args):
                _show_options(shell, arg[0] == "-")
                return None
            _named_option(shell, args, args[place], arg[0] == "-")
            place += 1
            continue
        for letter in arg[1:]:
            if letter not in _LETTERS:
                fail(shell, args, "illegal option", arg[0] + letter)
            _switch(shell, letter, arg[0] == "-")
    return None


def _switch(shell: Shell, option: str, on: bool) -> None:
    (shell.env.options.add if on else shell.env.options.discard)(option)


def _named_option(shell: Shell, args: list[str], name: str, on: bool) -> None:
    if name not in _OPTIONS or (name == "pipefail" and shell.dialect is DASH):
        (say if shell.dialect is ASH else fail)(shell, args, "illegal option", f"-o {name}")
        return
    _switch(shell, _OPTIONS[name], on)


def _show_options(shell: Shell, table: bool) -> None:
    names = [name for name in _OPTIONS if name != "pipefail" or shell.dialect is not DASH]
    if not table:
        shell.out("".join(f"set {'-' if _OPTIONS[name] in shell.env.options else '+'}o {name}\n" for name in names))
        return
    head = "Current option settings\n" if shell.dialect is DASH else ""
    lines = (f"{name:<16}{'on' if _OPTIONS[name] in shell.env.options else 'off'}\n" for name in names)
    shell.out(head + "".join(lines))


def shopt(shell: Shell, args: list[str]) -> int:
    """bash's further options: kept among the shell's, those that are on from the start by their absence."""
    flags = "".join(arg[1:] for arg in args[1:] if arg.startswith("-"))
    names = [arg for arg in args[1:] if not arg.startswith("-")] or sorted(_SHOPT[0] | _SHOPT[1])
    status = 0
    for name in names:
        if name not in _SHOPT[0] | _SHOPT[1]:
            status = say(shell, args, "no shopt", name)
        elif ("s" in flags or "u" in flags) and len(args) > 2:
            _switch(shell, name, ("s" in flags) is (name in _SHOPT[1]))
        else:
            on = (name in shell.env.options) is (name in _SHOPT[1])
            status = status if on else 1
            if "q" not in flags:
                said = (
                    f"shopt -{'s' if on else 'u'} {name}\n"
                    if "p" in flags
                    else f"{name:<15}\t{'on' if on else 'off'}\n"
                )
                shell.out(said)
    return status


def getopts(shell: Shell, args: list[str]) -> int:
    """As in dash's options.c; bash differs in what OPTIND is within a group of letters, and OPTARG at the end."""
    if len(args) < 3:
        shell.complain("usage: getopts optstring var [arg]", args[0])
        return 2
    letters = args[1]
    given = args[3:] or shell.arguments
    bash = shell.dialect is BASH
    following, offset = shell.next_option
    if following > len(given) + 1 and not bash:
        following, offset = 1, -1
    before = given[following - 2] if 1 < following <= len(given) + 1 else ""
    rest = before[offset:] if offset > 0 else ""
    if not rest:
        arg = given[following - 1] if following <= len(given) else ""
        if arg[:1] != "-" or arg == "-" or arg == "--":
            following += arg == "--"
            return _option_found(
                shell, args, _Option("?", None if shell.dialect is not DASH else "", following, ""), status=1
            )
        following, rest = following + 1, arg[1:]
    option = _option(shell, letters, given, following, rest)
    return _option_found(shell, args, option)


class _Option(NamedTuple):
    """A letter, its argument (None: there is none), the number of the next argument, what is left of this one."""

    letter: str
    argument: str | None
    following: int
    rest: str


def _option(shell: Shell, letters: str, given: list[str], following: int, rest: str) -> _Option:
    letter, rest = rest[0], rest[1:]
    quiet = letters.startswith(":")
    place = letters.find(letter) if letter != ":" else -1
    if place < 0:
        if not quiet:
            _say_option(shell, "illegal option", letter, f"Illegal option -{letter}")
        return _Option("?", letter if quiet else None, following, rest)
    if letters[place + 1 : place + 2] != ":":
        return _Option(letter, None if shell.dialect is BASH else "", following, rest)
    if rest:
        return _Option(letter, rest, following, "")
    if following <= len(given):
        return _Option(letter, given[following - 1], following + 1, "")
    if not quiet:
        _say_option(shell, "option requires an argument", letter, f"No arg for -{letter} option")
    return _Option(":" if quiet else "?", letter if quiet else None, following, "")


def _say_option(shell: Shell, bash: str, letter: str, others: str) -> None:
    shell.err(f"{shell.arg0}: {bash} -- {letter}\n" if shell.dialect is BASH else f"{others}\n")


def _option_found(shell: Shell, args: list[str], option: _Option, status: int = 0) -> int:
    if option.argument is None:
        shell.env.variables.pop("OPTARG", None)
    elif status == 0:
        shell.assign("OPTARG", option.argument)
    within = shell.dialect is BASH and option.rest
    shell.env.variables["OPTIND"] = str(option.following - 1 if within else option.following)
    before = shell.arguments if len(args) < 4 else args[3:]
    size = len(before[option.following - 2]) if 1 < option.following <= len(before) + 1 else 0
    shell.next_option = (option.following, size - len(option.rest) if option.rest else -1)
    if not NAME.match(args[2]):
        shell.next_option = FIRST_OPTION
        return say(shell, args, "bad name", args[2])
    shell.assign(args[2], option.letter)
    return status
