"""What docker says of wrong input, for every command and flag: no engine is reached.

A row names where its message is from: a transcript, a recorded example, a rule of the source, or "unverified".
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from labkit.dockercli.commands import COMMANDS, DockerCommand
from labkit.dockercli.flags import LISTS, Flag, flags_of, help_of, sections, usage_of

RUN_USAGE = "docker run [OPTIONS] IMAGE [COMMAND] [ARG...]"
CREATE_USAGE = "docker create [OPTIONS] IMAGE [COMMAND] [ARG...]"


class Wrong(NamedTuple):
    words: list[str]
    status: int
    message: str
    source: str


def usage(text: str, command: str, see: str = "Run") -> str:
    return f"\n\nUsage:  {text}\n\n{see} '{command} --help' for more information"


# --- rules that hold for every command


def shown(command: DockerCommand) -> str:
    return f"docker buildx {command.name.split()[-1]}" if command.plugin else f"docker {command.name}"


def use_of(command: DockerCommand) -> str:
    return usage_of(sections()[f"docker {command.name}"])


def arguments(command: DockerCommand) -> list[str]:
    return [f"a{number}" for number in range(command.count.least)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_unknown_flag(run, command):
    """Source: spf13/pflag errors.go, docker/cli cli/cobra.go FlagErrorFunc; transcript cleanup-prune-errors."""
    done = run(*command.name.split(), "--nosuch")
    assert done == (125, "", "unknown flag: --nosuch" + usage(use_of(command), shown(command)) + "\n")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_unknown_shorthand(run, command):
    """Source: spf13/pflag errors.go NotExistError."""
    done = run(*command.name.split(), "-Z")
    assert done == (125, "", "unknown shorthand flag: 'Z' in -Z" + usage(use_of(command), shown(command)) + "\n")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_bad_flag_syntax(run, command):
    """Source: spf13/pflag errors.go InvalidSyntaxError."""
    done = run(*command.name.split(), "--=x")
    assert done == (125, "", "bad flag syntax: --=x" + usage(use_of(command), shown(command)) + "\n")


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.count.least], ids=lambda command: command.name)
def test_too_few_arguments(run, command):
    """Source: docker/cli cli/required.go; transcripts volumes-list-and-usage-errors, build-cache-no-dockerfile."""
    done = run(*command.name.split(), *arguments(command)[1:])
    prefix = "ERROR: docker" if command.plugin else "docker"
    see = "See" if "at least" in command.count.words and "at most" not in command.count.words else "Run"
    text = f"{prefix}: '{shown(command)}' {command.count.words}" + usage(use_of(command), shown(command), see)
    assert done == (1, "", text + "\n")


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if each.count.most is not None], ids=lambda command: command.name
)
def test_too_many_arguments(run, command):
    """Source: docker/cli cli/required.go; transcripts volumes-bad-names, cleanup-prune-errors."""
    done = run(*command.name.split(), *(f"a{number}" for number in range(command.count.most + 1)))
    prefix = "ERROR: docker" if command.plugin else "docker"
    text = f"{prefix}: '{shown(command)}' {command.count.words or 'accepts no arguments'}"
    assert done == (1, "", text + usage(use_of(command), shown(command)) + "\n")


@pytest.mark.parametrize("place", [place for each in COMMANDS for place in each.places])
def test_another_place_names_itself(run, place):
    """Source: docker/cli cli/cobra.go FlagErrorFunc (CommandPath)."""
    command = next(each for each in COMMANDS if place in each.places)
    text = usage_of(help_of(f"docker {place}", f"docker {command.name}"))
    assert run(*place.split(), "--nosuch").err == "unknown flag: --nosuch" + usage(text, f"docker {place}") + "\n"


# --- rules that hold for every flag of a kind

FLAGS = [
    pytest.param(command, flag, id=f"{command.name} --{flag.name}")
    for command in COMMANDS
    for flag in flags_of(sections()[f"docker {command.name}"])
]
BAD = {
    "bool": ("maybe", 'strconv.ParseBool: parsing "maybe": invalid syntax'),
    "int": ("many", 'strconv.ParseInt: parsing "many": invalid syntax'),
    "uint16": ("70000", 'strconv.ParseUint: parsing "70000": value out of range'),
    "bytes": ("big", "invalid size: 'big'"),
    "decimal": ("x", "failed to parse x as a rational number"),
    "duration": ("soon", 'time: invalid duration "soon"'),
    "filter": ("nosuch", "bad format of filter (expected name=value)"),
    "ulimit": ("nosuch", "invalid ulimit argument: nosuch"),
    "ip": ("here", 'failed to parse IP: "here"'),
}


@pytest.mark.parametrize(("command", "flag"), [row for row in FLAGS if row.values[1].kind != "bool"])
def test_a_flag_without_its_value(run, command, flag):
    """Source: spf13/pflag errors.go ValueRequiredError."""
    tail = usage(use_of(command), shown(command)) + "\n"
    assert run(*command.name.split(), f"--{flag.name}") == (125, "", f"flag needs an argument: --{flag.name}{tail}")
    if flag.short:
        message = f"flag needs an argument: '{flag.short}' in -{flag.short}{tail}"
        assert run(*command.name.split(), f"-{flag.short}") == (125, "", message)


@pytest.mark.parametrize(("command", "flag"), [row for row in FLAGS if row.values[1].kind in BAD])
def test_a_value_of_the_wrong_kind(run, command: DockerCommand, flag: Flag):
    """Source: spf13/pflag errors.go InvalidValueError; strconv, docker/go-units size.go, docker/cli opts/opts.go."""
    value, reason = BAD[flag.kind]
    done = run(*command.name.split(), f"--{flag.name}={value}")
    text = f'invalid argument "{value}" for "{flag.shown}" flag: {reason}'
    assert done == (125, "", text + usage(use_of(command), shown(command)) + "\n")


def test_every_kind_is_covered():
    plain = {"string", "network", "mount", "gpu-request"}
    kinds = {row.values[1].kind for row in FLAGS}
    assert kinds <= set(BAD) | LISTS | plain


# --- single messages


def flag(words: list[str], value: str, name: str, reason: str, source: str, form: str = RUN_USAGE) -> Wrong:
    command = form.split(" [")[0].split(" CONTAINER")[0]
    message = f'invalid argument "{value}" for "{name}" flag: {reason}' + usage(form, command)
    return Wrong(words, 125, message, source)


def refused(words: list[str], message: str, source: str) -> Wrong:
    """What run and create find wrong after the flags are read."""
    return Wrong(words, 125, f"docker: {message}\n\nRun 'docker {words[0]} --help' for more information", source)


MOUNT = "docker/cli opts/mount.go"
UTILS = "docker/cli opts/mount_utils.go"
OPTS = "docker/cli opts/opts.go"
PARSE = "docker/cli cli/command/container/opts.go"
PORT = "moby api/types/network/port.go"
KVFILE = "docker/cli pkg/kvfile/kvfile.go"
VSM = "transcript v-versus-mount-"


def mount(value: str, reason: str, source: str) -> Wrong:
    quoted = value.replace('"', '\\"')
    return flag(["create", "--mount", value, "busybox"], quoted, "--mount", reason, source, CREATE_USAGE)


BOOL = 'invalid boolean value ("maybe"): must be one of "true", "1", "false", or "0" (default "true")'
# fmt: off
ROWS = [
    # which command
    Wrong(["nosuch"], 1, "docker: unknown command: docker nosuch\n\nRun 'docker --help' for more information", "docker/cli cmd/docker/docker.go"),
    Wrong(["volume", "nosuch"], 1, "docker: unknown command: docker volume nosuch" + usage("docker volume COMMAND", "docker volume"), "transcript volumes-list-and-usage-errors"),
    Wrong(["image", "nosuch"], 1, "docker: unknown command: docker image nosuch" + usage("docker image COMMAND", "docker image"), "docker/cli cli/required.go NoArgs"),
    Wrong(["volume", "--nosuch"], 125, "unknown flag: --nosuch" + usage("docker volume COMMAND", "docker volume"), "docker/cli cli/cobra.go"),
    Wrong(["--nosuch", "ps"], 125, "unknown flag: --nosuch" + usage("docker [OPTIONS] COMMAND [ARG...]", "docker"), "docker/cli cli/cobra.go"),
    Wrong(["compose", "-f", "x"], 1, "docker: unknown command: docker compose\n\nRun 'docker --help' for more information", "the simulator's own: docker names the flag first"),
    Wrong(["nosuch", "-f", "x"], 125, "unknown shorthand flag: 'f' in -f" + usage("docker [OPTIONS] COMMAND [ARG...]", "docker"), "docker/cli cmd/docker/docker.go"),
    Wrong(["swarm", "init"], 1, "docker: this simulated Docker has no 'docker swarm'\n\nRun 'docker --help' for more information", "the simulator's own"),
    Wrong(["help", "nosuch"], 1, "unknown help topic: nosuch", "docker/cli cli/cobra.go helpCommand"),
    # grouped shorthands
    Wrong(["run", "-dz", "busybox"], 125, "unknown shorthand flag: 'z' in -z" + usage(RUN_USAGE, "docker run"), "spf13/pflag flag.go parseShortArg"),
    Wrong(["run", "-de"], 125, "flag needs an argument: 'e' in -e" + usage(RUN_USAGE, "docker run"), "spf13/pflag flag.go parseShortArg"),
    flag(["run", "-d=maybe", "busybox"], "maybe", "-d, --detach", 'strconv.ParseBool: parsing "maybe": invalid syntax', "spf13/pflag errors.go"),
    flag(["stop", "-t", "99999999999999999999", "c"], "99999999999999999999", "-t, --timeout", 'strconv.ParseInt: parsing "99999999999999999999": value out of range', "strconv", "docker stop [OPTIONS] CONTAINER [CONTAINER...]"),
    # run and create: values of single flags
    flag(["run", "-e", "=x", "busybox"], "=x", "-e, --env", "invalid environment variable: =x", "docker/cli opts/env.go"),
    flag(["run", "--label", "=x", "busybox"], "=x", "-l, --label", "invalid label '=x': empty name", OPTS),
    flag(["run", "--label", "a b=x", "busybox"], "a b=x", "-l, --label", "label 'a b' contains whitespaces", OPTS),
    flag(["run", "-a", "stdinn", "busybox"], "stdinn", "-a, --attach", "valid streams are STDIN, STDOUT and STDERR", PARSE),
    flag(["run", "--add-host", "x", "busybox"], "x", "--add-host", 'bad format for add-host: "x"', "docker/cli opts/hosts.go"),
    flag(["run", "--add-host", "x:y", "busybox"], "x:y", "--add-host", 'invalid IP address in add-host: "y"', "docker/cli opts/hosts.go"),
    flag(["run", "--dns", "x", "busybox"], "x", "--dns", "IP address is not correctly formatted: x", OPTS),
    flag(["run", "--link", "a:b:c", "busybox"], "a:b:c", "--link", "bad format for links: a:b:c", OPTS),
    flag(["run", "--link", "", "busybox"], "", "--link", "empty string specified for links", OPTS),
    flag(["run", "--sysctl", "vm.swappiness=1", "busybox"], "vm.swappiness=1", "--sysctl", "sysctl 'vm.swappiness=1' is not allowed", OPTS),
    flag(["run", "--sysctl", "msgmax=1", "busybox"], "msgmax=1", "--sysctl", "sysctl 'msgmax=1' is not allowed", OPTS),
    flag(["run", "--dns-search", "1.2", "busybox"], "1.2", "--dns-search", "1.2 is not a valid domain", OPTS),
    flag(["run", "-m", "1x", "busybox"], "1x", "-m, --memory", "invalid suffix: 'x'", "docker/go-units size.go"),
    flag(["run", "-m", "-1", "busybox"], "-1", "-m, --memory", "invalid size: '-1'", "docker/go-units size.go"),
    flag(["run", "--cpus", "0.1234567891", "busybox"], "0.1234567891", "--cpus", "value is too precise", OPTS),
    flag(["run", "--health-interval", "5", "busybox"], "5", "--health-interval", 'time: missing unit in duration "5"', "Go time/format.go"),
    flag(["run", "--health-interval", "5x", "busybox"], "5x", "--health-interval", 'time: unknown unit "x" in duration "5x"', "Go time/format.go"),
    flag(["run", "--ulimit", "nosuch=1", "busybox"], "nosuch=1", "--ulimit", "invalid ulimit type: nosuch", "docker/go-units ulimit.go"),
    flag(["run", "--ulimit", "nofile=9:1", "busybox"], "nofile=9:1", "--ulimit", "ulimit soft limit must be less than or equal to hard limit: 9 > 1", "docker/go-units ulimit.go"),
    flag(["run", "--ulimit", "nofile=", "busybox"], "nofile=", "--ulimit", 'strconv.ParseInt: parsing "": invalid syntax', "docker/go-units ulimit.go"),
    flag(["run", "--ulimit", "nofile=1:2:3", "busybox"], "nofile=1:2:3", "--ulimit", "too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`", "docker/go-units ulimit.go"),
    flag(["run", "--ulimit", "nofile=-1:5", "busybox"], "nofile=-1:5", "--ulimit", "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 5", "docker/go-units ulimit.go"),
    flag(["run", "--add-host", "=1.2.3.4", "busybox"], "=1.2.3.4", "--add-host", 'bad format for add-host: "=1.2.3.4"', "docker/cli opts/hosts.go"),
    flag(["run", "--add-host", "a:b=1.2.3.4", "busybox"], "a:b=1.2.3.4", "--add-host", 'bad format for add-host: "a:b=1.2.3.4"', "docker/cli opts/hosts.go"),
    flag(["run", "--network", "alias=x", "busybox"], "alias=x", "--network", "network name/id is not specified", "docker/cli opts/network.go"),
    flag(["run", "--network", "name=a,x", "busybox"], "name=a,x", "--network", "invalid field x", "docker/cli opts/network.go"),
    flag(["run", "--network", "name=a,x=y", "busybox"], "name=a,x=y", "--network", "invalid field key x", "docker/cli opts/network.go"),
    flag(["run", "--network", "name=a,driver-opt=y", "busybox"], "name=a,driver-opt=y", "--network", "invalid key value pair format in driver options", "docker/cli opts/network.go"),
    flag(["run", "--device-cgroup-rule", "x", "busybox"], "x", "--device-cgroup-rule", "invalid device cgroup format 'x'", PARSE),
    flag(["exec", "-e", "=x", "c", "ls"], "=x", "-e, --env", "invalid environment variable: =x", "docker/cli opts/env.go", "docker exec [OPTIONS] CONTAINER COMMAND [ARG...]"),
    flag(["volume", "create", "--label", "=x"], "=x", "--label", "invalid label '=x': empty name", OPTS, "docker volume create [OPTIONS] [VOLUME]"),
    # run and create: what does not fit together
    refused(["run", "--pull", "x", "busybox"], "invalid pull option: 'x': must be one of \"always\", \"missing\" or \"never\"", "docker/cli cli/command/container/create.go"),
    refused(["create", "--pull", "x", "busybox"], "invalid pull option: 'x': must be one of \"always\", \"missing\" or \"never\"", "docker/cli cli/command/container/create.go"),
    refused(["run", "--rm", "--restart", "always", "busybox"], "conflicting options: cannot specify both --restart and --rm", PARSE),
    refused(["run", "--restart", ":3", "busybox"], "invalid restart policy format: no policy provided before colon", "docker/cli opts/parse.go"),
    refused(["run", "--restart", "on-failure:x", "busybox"], "invalid restart policy format: maximum retry count must be an integer", "docker/cli opts/parse.go"),
    refused(["run", "--pid", "x", "busybox"], "--pid: invalid PID mode", PARSE),
    refused(["run", "--uts", "x", "busybox"], "--uts: invalid UTS mode", PARSE),
    refused(["run", "--userns", "x", "busybox"], "--userns: invalid USER mode", PARSE),
    refused(["run", "--cgroupns", "x", "busybox"], "--cgroupns: invalid CGROUP mode", PARSE),
    refused(["run", "--memory-swappiness", "101", "busybox"], "invalid value: 101. Valid memory swappiness range is 0-100", PARSE),
    refused(["run", "--no-healthcheck", "--health-cmd", "x", "busybox"], "--no-healthcheck conflicts with --health-* options", PARSE),
    refused(["run", "--health-interval", "-1s", "busybox"], "--health-interval cannot be negative", PARSE),
    refused(["run", "--health-retries", "-1", "busybox"], "--health-retries cannot be negative", PARSE),
    refused(["run", "--storage-opt", "size", "busybox"], "invalid storage option", PARSE),
    refused(["run", "--security-opt", "x", "busybox"], 'invalid --security-opt: "x"', PARSE),
    refused(["run", "--security-opt", "seccomp=", "busybox"], 'invalid --security-opt: "seccomp="', PARSE),
    refused(["run", "--security-opt", "seccomp=nosuch", "busybox"], "opening seccomp profile (nosuch) failed: open nosuch: no such file or directory", PARSE),
    refused(["run", "--mac-address", "x", "busybox"], "x is not a valid mac address", PARSE),
    refused(["run", "--log-driver", "none", "--log-opt", "a=b", "busybox"], "invalid logging opts for driver none", PARSE),
    refused(["run", "--network", "a", "--network", "a", "busybox"], 'network "a" is specified multiple times', PARSE),
    refused(["run", "--network", "host", "--network", "a", "busybox"], "conflicting options: cannot attach both user-defined and non-user-defined network-modes", PARSE),
    refused(["run", "--network-alias", "a", "busybox"], "network-scoped aliases are only supported for user-defined networks", PARSE),
    refused(["run", "-p", "=80", "busybox"], "invalid publish opts format (should be name=value but got '=80')", PARSE),
    refused(["run", "--expose", "", "busybox"], "invalid range format for --expose: invalid port range: value is empty", PORT),
    refused(["run", "--expose", "x", "busybox"], "invalid range format for --expose: invalid start port 'x': invalid syntax", PORT),
    refused(["run", "--expose", "-2/tcp", "busybox"], "invalid range format for --expose: invalid start port '': value is empty", PORT),
    refused(["run", "--expose", "1-70000", "busybox"], "invalid range format for --expose: invalid end port '70000': value out of range", PORT),
    refused(["run", "--expose", "3-1/udp", "busybox"], "invalid range format for --expose: invalid port range: 3-1/udp", PORT),
    refused(["run", "--env-file", "nosuch", "busybox"], "--env-file: open nosuch: no such file or directory", KVFILE),
    refused(["run", "--label-file", "nosuch", "busybox"], "--label-file: open nosuch: no such file or directory", KVFILE),
    refused(["run", "-p", "x", "busybox"], "invalid containerPort: x", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "x:80", "busybox"], "invalid hostPort: x", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "1.2.3:80:80", "busybox"], "invalid IP address: 1.2.3", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "80/x", "busybox"], "invalid proto: x", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "80:", "busybox"], "no port specified: 80:<empty>", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "1.2.3:x:80/y", "busybox"], "invalid proto: y", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "70000", "busybox"], "invalid containerPort: 70000", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "1-3:1-2", "busybox"], "invalid ranges specified for container and host Ports: 1-2 and 1-3", "docker/go-connections nat/nat.go"),
    refused(["run", "-p", "published=80,x", "busybox"], "invalid publish opts format (should be name=value but got 'x')", PARSE),
    # -v
    refused(["create", "-v", "", "busybox"], "invalid empty volume spec", VSM + "v-invalid"),
    refused(["create", "-v", ":/data", "busybox"], "invalid spec: :/data: empty section between colons", VSM + "v-invalid"),
    refused(["create", "-v", "notes:", "busybox"], "invalid spec: notes:: empty section between colons", VSM + "v-invalid"),
    refused(["create", "-v", "a1:/b:ro:rw", "busybox"], "invalid spec: a1:/b:ro:rw: too many colons", VSM + "v-invalid"),
    refused(["create", "-v", "notes::ro", "busybox"], "invalid spec: notes::ro: empty section between colons", VSM + "v-invalid"),
    refused(["create", "-v", "notes:/data:", "busybox"], "invalid spec: notes:/data:: empty section between colons", VSM + "v-modes"),
    refused(["run", "-v", ":::", "busybox"], "invalid spec: :::: empty section between colons", "docker/cli internal/volumespec"),
    # --mount: CSV
    mount("", "value is empty", VSM + "mount-invalid"),
    mount("  ", "value is empty", MOUNT),
    mount('type=bind,src="/a,b",dst=/data', 'parse error on line 1, column 15: bare " in non-quoted-field', "Go encoding/csv"),
    mount('type=bind,"src=/a,b,dst=/data', 'parse error on line 1, column 30: extraneous or missing " in quoted-field', VSM + "csv-quoting"),
    mount('"type=bind"x,dst=/data', 'parse error on line 1, column 11: extraneous or missing " in quoted-field', "Go encoding/csv"),
    # --mount: fields
    mount("notes:/data", "invalid field 'notes:/data' must be a key=value pair", VSM + "mount-invalid"),
    mount("type=volume,src=notes,dst=/data,", "invalid field '' must be a key=value pair", VSM + "unknown-keys"),
    mount("type=volume,,src=notes,dst=/data", "invalid field '' must be a key=value pair", VSM + "unknown-keys"),
    mount("type,src=notes,dst=/data", "invalid field 'type' must be a key=value pair", VSM + "type"),
    mount("src=notes,dst=/data,rw", "invalid field 'rw' must be a key=value pair", VSM + "readonly-spellings"),
    mount("src=notes,dst=/data,rw=true", "unknown option 'rw' in 'rw=true'", VSM + "readonly-spellings"),
    mount("src=notes,dst=/data,volume-opt", "invalid field 'volume-opt' must be a key=value pair", VSM + "volume-options"),
    mount("type=volume,name=notes,dst=/data", "unknown option 'name' in 'name=notes'", VSM + "aliases"),
    mount("type=volume, src=notes", "invalid option 'src' in ' src=notes': option should not have whitespace", VSM + "unknown-keys"),
    mount("type=volume,src= notes", "invalid value for 'src' in 'src= notes': value should not have whitespace", MOUNT),
    # --mount: values
    mount("type=volume,src=,dst=/data", "invalid value for 'src': value is empty", VSM + "mount-invalid"),
    mount("type=volume,src=notes,dst=", "invalid value for 'dst': value is empty", VSM + "mount-invalid"),
    mount("type=,dst=/data", "invalid value for 'type': value is empty", VSM + "type"),
    mount("src=notes,dst=/data,readonly=", "invalid value for 'readonly': value is empty", VSM + "readonly-spellings"),
    mount("src=notes,dst=/data,readonly=maybe", f"invalid value for 'readonly': {BOOL}", VSM + "readonly-spellings"),
    mount("src=notes,dst=/data,ro=maybe", f"invalid value for 'ro': {BOOL}", UTILS),
    mount("src=notes,dst=/data,volume-nocopy=maybe", f"invalid value for 'volume-nocopy': {BOOL}", VSM + "unknown-keys"),
    mount("type=bind,src=/a,dst=/b,bind-create-src=maybe", f"invalid value for 'bind-create-src': {BOOL}", UTILS),
    mount("type=bind,src=/a,dst=/b,bind-recursive=nosuch", 'invalid value for bind-recursive: nosuch (must be "enabled", "disabled", "writable", or "readonly")', "transcript bind-mounts-propagation-and-recursive"),
    mount("type=bind,src=/a,dst=/b,bind-nonrecursive", "bind-nonrecursive is deprecated, use bind-recursive=disabled instead", "transcript bind-mounts-propagation-and-recursive"),
    mount("type=bind,src=/a,dst=/b,bind-nonrecursive=true", "bind-nonrecursive is deprecated, use bind-recursive=disabled instead", MOUNT),
    mount("type=tmpfs,dst=/t,tmpfs-size=big", "invalid value for tmpfs-size: big", VSM + "tmpfs-options"),
    mount("type=tmpfs,dst=/t,tmpfs-size=-1", "invalid value for tmpfs-size: -1", VSM + "tmpfs-options"),
    mount("type=tmpfs,dst=/t,tmpfs-mode=rwx", "invalid value for tmpfs-mode: rwx", VSM + "tmpfs-options"),
    mount("type=tmpfs,dst=/t,tmpfs-mode=999", "invalid value for tmpfs-mode: 999", VSM + "tmpfs-options"),
    mount("type=tmpfs,dst=/t,tmpfs-mode=77777777777", "invalid value for tmpfs-mode: 77777777777", MOUNT),
    mount("type=bind,src=/a,dst=/b,bind-idmap=x", "invalid value for 'bind-idmap': \"x\" (must be \"match-user\", \"match-user:USER\", or \"userns\")", UTILS),
    mount("type=bind,src=/a,dst=/b,bind-idmap=match-user:", "invalid value for 'bind-idmap': \"match-user:\" (empty user after \"match-user:\")", UTILS),
    mount("type=bind,src=/a,dst=/b,bind-idmap=userns:x", "invalid value for 'bind-idmap': \"userns:x\" (\"userns\" does not take a user)", UTILS),
    # --mount: what does not go together
    mount("type=bind,src=/a,dst=/b,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'", VSM + "options-of-the-other-type"),
    mount("type=bind,src=/a,dst=/b,tmpfs-mode=700", "cannot mix 'tmpfs-*' options with mount type 'bind'", VSM + "options-of-the-other-type"),
    mount("type=volume,src=a,dst=/b,bind-propagation=rslave", "cannot mix 'bind-*' options with mount type 'volume'", VSM + "options-of-the-other-type"),
    mount("type=volume,src=a,dst=/b,bind-create-src", "cannot mix 'bind-*' options with mount type 'volume'", VSM + "options-of-the-other-type"),
    mount("type=tmpfs,dst=/b,volume-label=x", "cannot mix 'volume-*' options with mount type 'tmpfs'", UTILS),
    mount("type=volume,src=a,dst=/b,image-subpath=x", "cannot mix 'image-*' options with mount type 'volume'", UTILS),
    mount("type=bind,src=/a,dst=/b,bind-recursive=writable", "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction", UTILS),
    mount("type=bind,src=/a,dst=/b,bind-recursive=readonly", "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction", "transcript bind-mounts-propagation-and-recursive"),
    mount("type=bind,src=/a,dst=/b,ro,bind-recursive=readonly", "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction", UTILS),
    # names of images
    Wrong(["pull", "bad name"], 1, "invalid reference format", "examples/pull.txt"),
    Wrong(["pull", "127.0.0.1:5000/UPPER/x"], 1, "invalid reference format: repository name (UPPER/x) must be lowercase", "examples/pull.txt"),
    Wrong(["pull", "UPPER"], 1, "invalid reference format: repository name (library/UPPER) must be lowercase", "distribution/reference normalize.go"),
    Wrong(["pull", "a" * 64], 1, f"invalid repository name ({'a' * 64}), cannot specify 64-byte hexadecimal strings", "distribution/reference normalize.go"),
    Wrong(["pull", "-a", "x:y"], 1, "tag can't be used with --all-tags/-a", "docker/cli cli/command/image/pull.go"),
    refused(["run", "UPPER"], "invalid reference format: repository name (library/UPPER) must be lowercase", "docker/cli cli/command/container/create.go"),
    Wrong(["create", "UPPER"], 1, "invalid reference format: repository name (library/UPPER) must be lowercase", "docker/cli cli/command/container/create.go"),
    Wrong(["tag", "bad name", "x"], 1, 'error parsing reference: "bad name" is not a valid repository/tag: invalid reference format', "moby/client image_tag.go"),
    Wrong(["tag", "x", "Y"], 1, 'error parsing reference: "Y" is not a valid repository/tag: invalid reference format: repository name (library/Y) must be lowercase', "moby/client image_tag.go"),
    Wrong(["tag", "x", "y@sha256:" + "a" * 64], 1, "refusing to create a tag with a digest reference", "moby/client image_tag.go"),
    Wrong(["commit", "c", "BAD"], 1, "invalid reference format: repository name (library/BAD) must be lowercase", "moby/client container_commit.go"),
    # cp
    Wrong(["cp", "a", "b"], 1, "must specify at least one container source", "transcript writable-layer-cp-rules"),
    Wrong(["cp", "a:/x", "b:/y"], 1, "copying between containers is not supported", "transcript writable-layer-cp-rules"),
    Wrong(["cp", "", "b:/y"], 1, "source can not be empty", "docker/cli cli/command/container/cp.go"),
    Wrong(["cp", "a:/x", ""], 1, "destination can not be empty", "docker/cli cli/command/container/cp.go"),
    Wrong(["cp", "a:/x", "no/such/place"], 1, 'invalid output path: directory "/home/learner/no/such" does not exist', "docker/cli cli/command/utils.go"),
    # formats
    Wrong(["inspect", "-f", "{{.A", "x"], 64, "template parsing error: template: :1: unclosed action", "docker/cli cli/command/inspect/inspector.go"),
    Wrong(["inspect", "-f", "{{nosuch}}", "x"], 64, 'template parsing error: template: :1: function "nosuch" not defined', "docker/cli cli/command/inspect/inspector.go"),
    Wrong(["inspect", "--type", "x", "y"], 1, 'unknown type: "x": must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"', "docker/cli cli/command/system/inspect.go"),
    Wrong(["inspect", "--type", "", "y"], 1, 'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"', "docker/cli cli/command/system/inspect.go"),
    Wrong(["ps", "--format", "{{.A"], 1, "failed to parse template: template: :1: unclosed action", "docker/cli cli/command/container/list.go"),
    Wrong(["ps", "--format", "{{.Nosuch}}"], 1, 'failed to execute template: template: :1:2: executing "" at <.Nosuch>: can\'t evaluate field Nosuch in type *formatter.ContainerContext', "docker/cli cli/command/container/list.go"),
    Wrong(["images", "--tree", "-q"], 1, "--quiet is not yet supported with --tree", "docker/cli cli/command/image/list.go"),
    Wrong(["images", "--tree", "--no-trunc"], 1, "--no-trunc is not yet supported with --tree", "docker/cli cli/command/image/list.go"),
    Wrong(["images", "--tree", "--digests"], 1, "--show-digest is not yet supported with --tree", "docker/cli cli/command/image/list.go"),
    Wrong(["images", "--tree", "--format", "x"], 1, "--format is not yet supported with --tree", "docker/cli cli/command/image/list.go"),
    # archives
    Wrong(["load", "-i", "nosuch.tar"], 1, "open nosuch.tar: no such file or directory", "transcript layers-save-and-load"),
    Wrong(["import"], 1, "docker: 'docker import' requires at least 1 argument" + usage("docker import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]", "docker import", "See"), "docker/cli cli/command/image/import.go"),
    Wrong(["import", "nosuch.tar", "bad", "more"], 1, "open nosuch.tar: no such file or directory", "docker/cli cli/command/image/import.go"),
    Wrong(["exec", "--env-file", "nosuch", "c1", "true"], 1, "open nosuch: no such file or directory", "docker/cli cli/command/container/exec.go"),
    Wrong(["import", "nosuch.tar", "bad"], 1, "open nosuch.tar: no such file or directory", "transcript layers-export-import-flattens"),
    # the rest
    Wrong(["start", "-a", "a", "b"], 1, "you cannot start and attach multiple containers at once", "docker/cli cli/command/container/start.go"),
    Wrong(["rename", "a", ""], 1, "new name cannot be blank", "docker/cli cli/command/container/rename.go"),
    Wrong(["run", "-d", "-a", "stdout", "busybox"], 1, "conflicting options: cannot specify both --attach and --detach", "docker/cli cli/command/container/run.go"),
    Wrong(["run", "-it", "busybox"], 1, "cannot attach stdin to a TTY-enabled container because stdin is not a terminal", "docker/cli cli/streams/in.go CheckTty"),
    Wrong(["volume", "prune", "-a", "--filter", "all=1"], 1, "conflicting options: cannot specify both --all and --filter all=1", "docker/cli cli/command/volume/prune.go"),
    Wrong(["builder", "prune", "-f", "--filter", "until=x"], 1, "ERROR: \"until\" filter expects a duration (e.g., '24h'): time: invalid duration \"x\"", "docker/buildx commands/prune.go"),
    Wrong(["system", "prune", "--volumes", "--filter", "until=1h"], 1, 'ERROR: The "until" filter is not supported with "--volumes"', "docker/cli cli/command/system/prune.go"),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row.words)[:60] or "-")
def test_wrong_input(run, row: Wrong):
    assert run(*row.words) == (row.status, "", row.message + "\n")


def test_few_rows_are_unverified():
    assert sum(row.source == "unverified" for row in ROWS) * 10 < len(ROWS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A B=1\n", "variable 'A B' contains whitespaces"),
        ("=1\n", "no variable name on line '=1'"),
        (b"A=1\n\xff\xfe\n", "invalid utf8 bytes at line 2: [255 254]"),
    ],
)
def test_env_file(run, files, text, reason):
    """Source: docker/cli pkg/kvfile/kvfile.go."""
    files.write("env", text)
    assert run("run", "--env-file", "env", "busybox").err.startswith(
        f"docker: --env-file: invalid env file (env): {reason}\n"
    )
