"""Go's text/template: values, actions, functions, and the messages for what does not fit (Go text/template, Go fmt)."""

from __future__ import annotations

import pytest

from labkit.dockercli.gotext import Nil, Number, Struct, TableRow, show, sprintf
from labkit.dockercli.template import Template, TemplateError

DATA = {
    "Name": "/c1",
    "State": {"Status": "running", "Pid": 3, "Running": True},
    "Mounts": [{"Type": "volume", "To": "/a"}, {"Type": "bind", "To": "/b"}],
    "Labels": {"b": "2", "a": "1"},
    "Nothing": None,
    "Words": ["x", "y"],
    "Empty": [],
    "Zero": 0,
}

GOOD = [
    ("{{.Name}} {{.State.Status}}", "/c1 running"),
    ("a{{/* a comment */}}b", "ab"),
    ("a  {{- .Name -}}  b", "a/c1b"),
    ("a {{- /* c */ -}} b", "ab"),
    ("{{ .Name }}{{\"}}\"}}", "/c1}}"),
    ("{{.State.Running}} {{.State.Pid}} {{.Zero}}", "true 3 0"),
    ("{{.Labels}} {{.Words}} {{.Mounts}}", "map[a:1 b:2] [x y] [map[To:/a Type:volume] map[To:/b Type:bind]]"),
    ("{{.Nothing}} {{.Missing}}", "<no value> <no value>"),
    ("{{json .Labels}} {{json .Nothing}} {{json .Words}} {{json .Name}}", '{"b":"2","a":"1"} null ["x","y"] "/c1"'),
    ("{{.Labels | json}}", '{"b":"2","a":"1"}'),
    ("{{range .Mounts}}{{.To}};{{end}}", "/a;/b;"),
    ("{{range .Mounts}}{{println .Type .To}}{{end}}", "volume /a\nbind /b\n"),
    ("{{range $i, $w := .Words}}{{if $i}},{{end}}{{$w}}{{end}}", "x,y"),
    ("{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 "),
    ("{{range $w := .Words}}<{{$w}}>{{end}}", "<x><y>"),
    ("{{range .Empty}}x{{else}}none{{end}}", "none"),
    ("{{range .Words}}{{.}}{{break}}{{end}}", "x"),
    ("{{range .Words}}{{if eq . \"x\"}}{{continue}}{{end}}{{.}}{{end}}", "y"),
    ("{{range 3}}{{.}}{{end}}", "012"),
    ("{{if .Empty}}a{{else if .Zero}}b{{else}}c{{end}}", "c"),
    ("{{with .State}}{{.Pid}}{{end}}{{with .Nothing}}x{{else}}-{{end}}", "3-"),
    ("{{with .Nothing}}x{{else with .State}}{{.Pid}}{{end}}", "3"),
    ("{{$x := .Name}}{{$x}}{{$x = \"n\"}}{{$x}}", "/c1n"),
    ("{{range .Words}}{{$.Name}}{{end}}", "/c1/c1"),
    ("{{index .Words 1}} {{index .Labels \"a\"}} {{(index .Mounts 0).To}} {{index .Mounts 1 \"Type\"}}", "y 1 /a bind"),
    ("{{len .Words}}{{len .Name}}{{len .Labels}}{{len .Empty}}", "2320"),
    ("{{slice .Name 1}} {{slice .Words 0 1}}", "c1 [x]"),
    ("{{join .Words \"-\"}} {{split \"a:b\" \":\"}}", "x-y [a b]"),
    ("{{upper .Name}} {{lower \"AB\"}} {{title \"ab cd\"}}", "/C1 ab Ab Cd"),
    ("{{truncate .Name 2}}|{{pad .Name 1 2}}|{{pad \"\" 1 2}}|", "/c| /c1  ||"),
    ("{{print .Name 1 2}} {{print 1 2}} {{print \"a\" \"b\"}}", "/c11 2 1 2 ab"),
    ("{{printf \"%s|%-5s|%5d|%05d|%v|%q\" .Name .Name 7 7 .Words .Name}}", "/c1|/c1  |    7|00007|[x y]|\"/c1\""),
    ("{{.Name | printf \"%s %s\" \"a\"}}", "a /c1"),
    ("{{eq .State.Pid 3}} {{ne .Name \"x\"}} {{lt 1 2}}", "true true true"),
    ("{{le 2 2}} {{gt 1 2}} {{ge 2 3}}", "true false false"),
    ("{{eq .Name \"x\" \"/c1\"}}", "true"),
    ("{{and .Name .Zero}} {{or .Zero .Name}} {{not .Zero}}", "0 /c1 true"),
    ("{{if and .Name (eq .State.Status \"running\")}}yes{{end}}", "yes"),
    ("{{true}} {{1.5}} {{0x10}} {{'a'}} {{`raw`}} {{\"\\t\\u00e9\"}}", "true 1.5 16 97 raw \té"),
    ("{{html \"<a>\"}}", "&lt;a&gt;"),
    ("{{ if true }}x{{ end }}", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text"), GOOD, ids=[form for form, _ in GOOD])
def test_rendered(form, text):
    assert Template(form).render(DATA) == text


# Go text/template/parse: lex.go, parse.go
UNREADABLE = [
    ("{{.A", "unclosed action"),
    ("{{", "unclosed action"),
    ("x\n{{.A", "unclosed action"),
    ("{{.A}", "bad character U+007D '}'"),
    ("{{%}}", 'unexpected "%" in command'),
    ("{{.A %}}", 'unexpected "%" in command'),
    ("{{é}}", 'function "é" not defined'),
    ("{{€}}", "unrecognized character in action: U+20AC '€'"),
    ('{{"a}}', "unterminated quoted string"),
    ("{{`a}}", "unterminated raw quoted string"),
    ("{{/* a}}", "unclosed comment"),
    ("{{/* a */ x}}", "comment ends before closing delimiter"),
    ("{{}}", "missing value for command"),
    ("{{if}}x{{end}}", "missing value for if"),
    ("{{range}}x{{end}}", "missing value for range"),
    ("{{.A | }}", "missing value for command"),
    ("{{if .A}}x", "unexpected EOF"),
    ("{{range .A}}", "unexpected EOF"),
    ("{{end}}", "unexpected {{end}}"),
    ("{{else}}", "unexpected {{else}}"),
    ("{{nosuch .A}}", 'function "nosuch" not defined'),
    ("{{.A | nosuch}}", 'function "nosuch" not defined'),
    ("{{$x}}", 'undefined variable "$x"'),
    ("{{(.A}}", "unclosed left paren"),
    ("{{.A)}}", "unexpected right paren"),
    ("{{break}}", "{{break}} outside {{range}}"),
    ("{{continue}}", "{{continue}} outside {{range}}"),
    ("{{.A | 3}}", "non executable command in pipeline stage 2"),
]


@pytest.mark.parametrize(("form", "message"), UNREADABLE, ids=[form for form, _ in UNREADABLE])
def test_unreadable(form, message):
    line = form.count("\n") + 1
    with pytest.raises(TemplateError) as caught:
        Template(form)
    assert str(caught.value) == f"template: :{line}: {message}"


# Go text/template: exec.go, funcs.go. The first is in transcript layers-image-inspect-errors.
UNFIT = [
    ("{{.NoSuch}}", ':1:2: executing "" at <.NoSuch>: map has no entry for key "NoSuch"'),
    ("{{.State.NoSuch}}", ':1:8: executing "" at <.State.NoSuch>: map has no entry for key "NoSuch"'),
    ("a\n  {{.NoSuch}}", ':2:4: executing "" at <.NoSuch>: map has no entry for key "NoSuch"'),
    ("{{.Name.X}}", ':1:7: executing "" at <.Name.X>: can\'t evaluate field X in type string'),
    ("{{.Words.X}}", ':1:8: executing "" at <.Words.X>: can\'t evaluate field X in type []string'),
    ("{{.Nothing.X}}", ':1:10: executing "" at <.Nothing.X>: nil pointer evaluating interface {}.X'),
    ("{{index .Words 5}}", ':1:2: executing "" at <index .Words 5>: error calling index: index out of range: 5'),
    ("{{len 3}}", ':1:2: executing "" at <len 3>: error calling len: len of type int'),
    ("{{eq .Name 1}}", ':1:2: executing "" at <eq .Name 1>: error calling eq: incompatible types for comparison'),
    ("{{range .Name}}x{{end}}", ':1:8: executing "" at <.Name>: range can\'t iterate over /c1'),
    (
        "{{join .Mounts \",\"}}",
        ':1:7: executing "" at <.Mounts>: wrong type for value; expected []string; got []interface {}',
    ),
    ("{{.Name 1}}", ':1:2: executing "" at <.Name>: Name is not a method but has arguments'),
    ("{{3 4}}", ':1:2: executing "" at <3>: can\'t give argument to non-function 3'),
    ("{{nil}}", ':1:2: executing "" at <nil>: nil is not a command'),
    ("{{upper}}", ':1:2: executing "" at <upper>: wrong number of args for upper: want 1 got 0'),
]  # fmt: skip


@pytest.mark.parametrize(("form", "message"), UNFIT, ids=[form for form, _ in UNFIT])
def test_unfit(form, message):
    with pytest.raises(TemplateError) as caught:
        Template(form).render(DATA, strict=True)
    assert str(caught.value) == f"template: {message}"


def test_a_row_has_methods():
    row = TableRow("*formatter.ContainerContext", {"ID": lambda: "1"}, str.upper)
    assert Template('{{.ID}} {{.Label "x"}}').render(row) == "1 X"
    with pytest.raises(TemplateError, match=r"can't evaluate field X in type \*formatter.ContainerContext"):
        Template("{{.X}}").render(row)
    with pytest.raises(TemplateError, match="wrong number of args for Label: want 1 got 0"):
        Template("{{.Label}}").render(row)


def test_json_of_a_row_is_sorted_and_escaped():
    row = TableRow("x", {"B": lambda: "0.0.0.0:80->80/tcp", "A": lambda: "1"})
    assert Template("{{json .}}").render(row) == '{"A":"1","B":"0.0.0.0:80-\\u003e80/tcp"}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"),
        (Nil("slice"), "[]"),
        (Nil("map"), "map[]"),
        (Nil("pointer"), "<nil>"),
        (Struct({"A": "x", "B": 1, "C": True}, {}, "t"), "{x 1 true}"),
        ([Struct({"A": "x"}, {}, "t")], "[{x}]"),
        ({"a": None, "b": [1, 2]}, "map[a:<nil> b:[1 2]]"),
        (1.5, "1.5"),
        (2.0, "2"),
        (1e21, "1e+21"),
        (Number("1.50"), "1.50"),
    ],
)
def test_shown(value, text):
    """Go fmt, %v."""
    assert show(value) == text


@pytest.mark.parametrize(
    ("form", "values", "text"),
    [
        ("%d", [], "%!d(MISSING)"),
        ("%d", ["x"], "%!d(string=x)"),
        ("x", [1], "x%!(EXTRA int=1)"),
        ("%x %X %o", [255, 255, 8], "ff FF 10"),
        ("%t %%", [True], "true %"),
        ("%.2f %6.1f", [1.005, 2.25], "1.00    2.2"),
        ("%.2s", ["abc"], "ab"),
        ("%T", [["a"]], "[]string"),
        ("%s", [None], "%!s(<nil>)"),
    ],
)
def test_printf(form, values, text):
    """Go fmt/doc.go."""
    assert sprintf(form, values) == text


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("{{pad .Name .Name 1}}", "wrong type for value; expected int; got string"),
        ("{{truncate .Name .Name}}", "wrong type for value; expected int; got string"),
        ("{{truncate .Name}}", "wrong number of args for truncate: want 2 got 1"),
        ("{{index}}", "wrong number of args for index: want 1 got 0"),
    ],
)
def test_arguments_that_do_not_fit(form: str, message: str) -> None:
    """Go's executor checks their number and their types before it calls a function."""
    with pytest.raises(TemplateError) as caught:
        Template(form).render({"Name": "web"})
    assert str(caught.value).endswith(message)
