"""set and getopts."""

from __future__ import annotations

import re

from labkit.shell.builtins.saying import fail, say, single_quoted
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.running import Shell

_OPTIONS = {  # in the order of `set -o`
    "errexit": "e",
    "noglob": "f",
    "monitor": "m",
    "noexec": "n",
    "xtrace": "x",
    "verbose": "v",
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
_LETTERS = frozenset("abCefhmnuvxBEHT")


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
    return 0


def _set_options(shell: Shell, args: list[str]) -> list[str] | None:
    """Do the options; the positional parameters that follow, None where there are none to set."""
    place = 1
    while place < len(args):
        arg = args[place]
        if arg in ("--", "-"):
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
    if len(args) < 3:
        shell.complain("usage: getopts optstring var [arg]", args[0])
        return 2
    letters, name = args[1], args[2]
    given = args[3:] or shell.arguments
    index = _option_index(shell, len(given))
    place = shell.option_place
    found = _next_option(given, index, place)
    if found is None:
        if index <= len(given) and given[index - 1] == "--":
            index += 1
        return _option_result(shell, name, "?", None, index, 1, 1)
    letter, index, place = found
    wants = letters.find(letter) if letter != ":" else -1
    if wants < 0:
        return _bad_option(shell, letters, name, letter, index, place)
    if letters[wants + 1 : wants + 2] != ":":
        return _option_result(shell, name, letter, "" if shell.dialect is not BASH else None, index, place, 0)
    before = given[found[1] - 1] if place > 1 else ""
    if place > 1:
        value, index = before[place:], index + 1
    elif index <= len(given):
        value, index = given[index - 1], index + 1
    else:
        return _no_argument(shell, letters, name, letter, index)
    return _option_result(shell, name, letter, value, index, 1, 0)


def _option_index(shell: Shell, given: int) -> int:
    """OPTIND; the first argument again where it is no place to be (bash lets one beyond the end be)."""
    text = shell.get("OPTIND") or ""
    index = max(1, int(text)) if re.fullmatch("[0-9]+", text) else 1
    return 1 if index > given + 1 and shell.dialect is not BASH else index


def _next_option(given: list[str], index: int, place: int) -> tuple[str, int, int] | None:
    """The next letter, and where the one after it stands: the argument's number and the place in it."""
    if index > len(given):
        return None
    arg = given[index - 1]
    if place == 1 and (len(arg) < 2 or arg[0] != "-" or arg == "--"):
        return None
    if place >= len(arg):
        return _next_option(given, index + 1, 1)
    return (arg[place], index, place + 1) if place + 1 < len(arg) else (arg[place], index + 1, 1)


def _option_result(shell: Shell, name: str, letter: str, value: str | None, index: int, place: int, status: int) -> int:
    shell.assign(name, letter)
    if value is None:
        shell.env.variables.pop("OPTARG", None)
    else:
        shell.assign("OPTARG", value)
    shell.env.variables["OPTIND"] = str(index)
    shell.option_place = place
    return status


def _bad_option(shell: Shell, letters: str, name: str, letter: str, index: int, place: int) -> int:
    if letters.startswith(":"):
        return _option_result(shell, name, "?", letter, index, place, 0)
    shell.err(f"{shell.arg0}: illegal option -- {letter}\n" if shell.dialect is BASH else f"Illegal option -{letter}\n")
    return _option_result(shell, name, "?", None, index, place, 0)


def _no_argument(shell: Shell, letters: str, name: str, letter: str, index: int) -> int:
    if letters.startswith(":"):
        return _option_result(shell, name, ":", letter, index, 1, 0)
    said = f"{shell.arg0}: option requires an argument -- {letter}\n"
    shell.err(said if shell.dialect is BASH else f"No arg for -{letter} option\n")
    return _option_result(shell, name, "?", None, index, 1, 0)
