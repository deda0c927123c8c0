"""Everything that can be wrong with a definition is named with file, line, field, the nearest name and a remedy."""

from __future__ import annotations

import pytest

from tests.unit.mappings.mapping_builder import HEAD, problems_of

CODES = "codes: colours\nversion: 1\nunknown: park\nrows: {R: red, G: green, S: green}\n"
RULE_LINE = 7


@pytest.mark.parametrize(
    ("rule", "field", "message", "remedy"),
    [
        # paths
        ("text: txt", "text", "reads 'txt', but crm.Thing has no field 'txt'", "Nearest: text."),
        ("text: txt", "text", "has no field 'txt'", "All fields: lineshaft connector describe crm --document Thing"),
        ("text: group.txt", "text", "crm.Thing.group has no field 'txt'", "Nearest: text."),
        ("text: text.more", "text", "crm.Thing.text is a text and has no fields", "Read crm.Thing.text itself."),
        ("text: rows.text", "text", "crm.Thing.rows is a list and has no fields", "Use `each:`"),
        ("text: $subjet", "text", "reads '$subjet', which is no context value", "Nearest: $subject."),
        ("text: $key", "text", "reads '$key', which a far document does not have yet", "$connector, $subject"),
        ("text: $record", "text", "reads '$record' as a whole", "Name one of its fields, for example $record.text."),
        ("rows: {each: row, fields: {text: text}}", "rows", "has no field 'row'", "Nearest: rows."),
        (
            "rows: {each: text, fields: {text: text}}",
            "rows",
            "which is a text and no list",
            "Name a list of records.",
        ),
        (
            "rows: {each: rows, fields: {text: txt}}",
            "rows.text",
            "crm.Thing.rows has no field 'txt'",
            "Nearest: text.",
        ),
        ("rows: {each: rows, fields: {txt: text}}", "rows.txt", "is not a field of mes.Result", "Nearest: text."),
        ("txt: text", "txt", "is not a field of mes.Result", "Nearest: text."),
        ("computed: text", "computed", "cannot be written: mes.Result computes it", "Remove the line."),
        # kinds
        ("date: text", "date", "is made of a text, but has to be a date", "Add as: date."),
        ("text: integer", "text", "is made of an integer, but has to be a text", "Add as: text."),
        ("text: rows", "text", "is made of a list, but has to be a text", "Add as: text."),
        ("rows: rows", "rows", "is made of a list, but has to be a list", "Use `each:`"),
        ("rows: {fields: {text: text}}", "rows", "makes a group, but mes.Result.rows is a list", "Use `each:`"),
        (
            "text: {each: rows, fields: {text: text}}",
            "text",
            "makes a list, but mes.Result.text is a text",
            "Use `from:`",
        ),
        (
            "date: {from: integer, as: date}",
            "date",
            "makes a date of an integer",
            "as: date takes date, instant, text.",
        ),
        ("date: {from: instant, as: date}", "date", "takes the day of an instant in no zone", "Add zone:"),
        ("text: {from: text, as: instan}", "text", "the kind 'instan' is not known", "Nearest: instant."),
        ("instant: {from: text, as: instant, zone: Mars/X}", "instant", "names the zone 'Mars/X'", "Asia/Shanghai"),
        ("decimal: {from: text, as: decimal, rounding: hlaf_up}", "decimal", "'hlaf_up'", "Nearest: half_up."),
        ("decimal: {from: text, as: decimal, rounding: up}", "decimal", "is rounded, but to how many", "Add scale:"),
        ("decimal: {from: decimal, scale: 2}", "decimal", "has 'scale' without as", "Add as or remove scale."),
        ("text: {from: integer, split: {by: '-'}}", "text", "applies 'split' to an integer", "split takes text."),
        ("boolean: {when: {integer: a}}", "boolean", "compares integer with a value that it never has", "Correct"),
        ("boolean: {when: {text: 5}}", "boolean", "5 is not a text", "Correct"),
        ("boolean: {when: {word: blue}}", "boolean", "'blue' is none of its values", "Correct"),
        ("boolean: {when: {text: {gt: a}}}", "boolean", "compares text, a text, by 'gt'", "'gt' takes date"),
        ("boolean: {when: {text: {larger: a}}}", "boolean", "by 'larger', which is no comparison", "There are:"),
        ("boolean: {when: {text: {is: null}}}", "boolean", "compares text with nothing", "{empty: true}"),
        ("boolean: {when: {text: {empty: no}}}", "boolean", "but not with true or false", "{empty: true}"),
        ("boolean: {when: {txt: a}}", "boolean", "has no field 'txt'", "Nearest: text."),
        ("boolean: {when: {}}", "boolean", "has a condition without a test", "Write for example"),
        # constants
        ("date: {const: 2026-02-30}", "date", "is not a day of the calendar", "Correct the constant."),
        ("integer: {const: 1.5}", "integer", "1.5 is not an integer", "Correct the constant."),
        ("word: {const: blue}", "word", "'blue' is none of its values", "Correct the constant."),
        ("word: {from: text, default: rde}", "word", "Nearest: red.", "Correct the default."),
        ("text: {from: text, default: }", "text", "has an empty default", "Name a value"),
        # rules
        ("text: {form: text}", "text", "has the entry 'form', which a rule does not know", "Nearest: from."),
        ("text: {from: text, const: a}", "text", "has the inputs from and const; one is allowed", "Write one of"),
        ("text: {required: true}", "text", "has no input", "Write one of: from, const"),
        ("text: {from: text, required: yes}", "text", "says required, but not true", "Write required: true"),
        ("text: [text]", "text", "must be a table of names and values", "Write `name: value` lines."),
        ("text: 5", "text", "must be a text: a path", "in quotes"),
        ("text: {first_of: []}", "text", "must be a list with at least one item", "Write `- …`"),
        ("text: {first_of: [txt]}", "text", "has no field 'txt'", "Nearest: text."),
        ("text: {choose: [{when: {text: a}}]}", "text", "has a branch that is not complete", "{when: …, then: …}"),
        ("text: {choose: [{otherwise: text}, {otherwise: text}]}", "text", "branch that is not complete", "last"),
        ("text: {each: rows}", "text", "says each, but not what to make of each", "Add `fields:`."),
        ("text: {from: text, split: {by: '-', take: 0}}", "text", "parts count from 1", "Write take: 1."),
        ("text: {from: text, redact: md5}", "text", "redacts in an unknown way", "redact: hash"),
        ("text: {from: text, owner: erp}", "text", "the owner 'erp' is not known", "bus, crm, first, mes"),
        (
            "text: {function: padd, args: [integer]}",
            "text",
            "the function 'padd', which there is not",
            "Nearest: pad.",
        ),
        (
            "rows: {each: rows, fields: {text: {owner: mes}}}",
            "rows.text",
            "only whole fields of a document",
            "Remove",
        ),
        ("text: {function: pad}", "text", "calls pad with 0 arguments", "pad takes 1: integer."),
        (
            "text: {function: pad, args: [text]}",
            "text",
            "is made of a text, but has to be an integer",
            "Add as: integer.",
        ),
        (
            "text: {from: text, code: colors}",
            "text",
            "the code table 'colors', which there is not",
            "Nearest: colours.",
        ),
        (
            "text: {from: word, code: {table: colours, inverse: true}}",
            "text",
            "reads the code table colours backwards, where 'green' stands for G and S",
            "Write a table of its own",
        ),
        (
            "text: {from: text, lookup: {ref: item, take: unit}}",
            "text",
            "'item', which is no reference",
            "Nearest: items.",
        ),
        (
            "text: {from: text, lookup: {ref: items, take: untt}}",
            "text",
            "lineshaft.Item does not have",
            "Nearest: unit.",
        ),
        (
            "text: {from: text, link: {kind: u, from: $conector, to: a}}",
            "text",
            "names no system",
            "Nearest: $connector.",
        ),
        ("text: {from: text, link: {kind: u, from: a}}", "text", "must be a text: link's `to`", "in quotes"),
        (
            "text: {from: text, link: {kind: u, from: a, to: b, unknown: skip}}",
            "text",
            "'skip' is not known",
            "park, pass",
        ),
    ],
)
def test_a_wrong_rule_is_named(rule: str, field: str, message: str, remedy: str) -> None:
    problems = problems_of(f"{HEAD}  {rule}\n", CODES)
    assert [(each.file, each.line) for each in problems][:1] == [("file1.yaml", RULE_LINE)]
    first = problems[0]
    assert first.field == field
    assert message in first.message
    assert remedy in first.remedy
    assert str(first) == f"file1.yaml:{RULE_LINE}: {field} {first.message.rstrip('.')}. {first.remedy}"


@pytest.mark.parametrize(
    ("text", "line", "message", "remedy"),
    [
        ("hello: world\n", 1, "the file does not say what it is", "Begin it with"),
        ("- a\n", 1, "must be a table of names and values: a definition", "Write `name: value`"),
        (
            "mapping: m\nversion: one\nfrom: a.B\nto: c.D\nfields: {a: b}\n",
            2,
            "a whole number from 1",
            "for example 1",
        ),
        ("mapping: m\nfrom: a.B\nto: c.D\nfields: {a: b}\n", 1, "has no 'version'", "A mapping needs"),
        (
            "mapping: m\nversion: 1\nfrom: Thing\nto: c.D\nfields: {a: b}\n",
            3,
            "is not <system>.<record>",
            "for example",
        ),
        (
            "mapping: m\nversion: 1\nfrom: crm.Thng\nto: mes.Result\nfields: {must: text}\n",
            3,
            "'crm.Thng'",
            "crm.Thing",
        ),
        (
            "mapping: m\nversion: 1\nfrom: lineshaft.Itm\nto: mes.Result\nfields: {must: item}\n",
            3,
            "there is not",
            "Item",
        ),
        (
            "mapping: m\nversion: 1\nfrom: crm.Thing\nto: mes.Result\nfield: {must: text}\n",
            1,
            "has no 'fields'",
            "needs",
        ),
        (
            "mapping: m\nversion: 1\nfrom: crm.Thing\nto: mes.Result\nfields: {}\n",
            5,
            "names no field",
            "one line for each",
        ),
        (
            "mapping: m\nversion: 1\nfrom: crm.Thing\nto: mes.Result\nfields: {text: text}\n",
            1,
            "is required by",
            "must: {from",
        ),
        ("codes: c\nversion: 1\nunknown: prak\nrows: {a: b}\n", 3, "'prak' is not known", "Nearest: park."),
        ("codes: c\nversion: 1\nrows: {a: b}\n", 1, "has no 'unknown'", "codes, rows, unknown, version"),
        ("codes: c\nversion: 1\nunknown: park\nrows: {a: 5}\n", 4, "must be a text: the other side's word", "quotes"),
        ("codes: c\nversion: 1\nunknown: park\nrows: {}\n", 4, "has no rows", "Write rows:"),
        (
            "codes: c\nversion: 1\nunknown: {default: }\nrows: {a: b}\n",
            3,
            "must be a text: the default word",
            "quotes",
        ),
        ("routes: r\nversion: 1\nto: [{destination: a}]\n", 1, "has no 'release_when'", "needs"),
        (
            "routes: r\nversion: 1\nrelease_when: {relased: true}\nto: [{destination: a}]\n",
            3,
            "'relased'",
            "released",
        ),
        (
            "routes: r\nversion: 1\nrelease_when: {released: true}\nto: [{when: {item.site: a}}]\n",
            4,
            "no destination",
            "Write",
        ),
        (
            "routes: r\nversion: 1\nrelease_when: {released: true}\nto: [{when: {item.ste: a}, destination: a}]\n",
            4,
            "has no field 'ste'",
            "Nearest: site.",
        ),
    ],
)
def test_a_wrong_file_is_named(text: str, line: int, message: str, remedy: str) -> None:
    problems = problems_of(text)
    assert any(each.line == line and message in each.message and remedy in each.remedy for each in problems), problems


def test_all_problems_of_all_files_are_named_at_once() -> None:
    second = HEAD.replace("mapping: m", "mapping: n").replace("crm.Thing", "lineshaft.Item")
    problems = problems_of(HEAD + "  text: txt\n  date: text\n", second + "  text: itm\n")
    assert [(each.file, each.line) for each in problems] == [("file1.yaml", 7), ("file1.yaml", 8), ("file2.yaml", 7)]


def test_a_broken_mapping_does_not_hide_the_problems_of_another() -> None:
    second = HEAD.replace("mapping: m", "mapping: n").replace("crm.Thing", "lineshaft.Item")
    problems = problems_of(HEAD + "  text: {form: text}\n", second + "  text: itm\n")
    assert [(each.file, each.line) for each in problems] == [("file1.yaml", 7), ("file2.yaml", 7)]


def test_a_line_mapping_goes_over_a_list_of_its_source() -> None:
    text = HEAD.replace("fields:", "for_each: {line: row}\nfields:")
    (problem,) = problems_of(text)
    assert (problem.line, problem.message) == (5, "for_each goes over 'row', which is no list of crm.Thing")
    assert problem.remedy == "Lists: rows."


def test_two_files_of_one_name_are_named() -> None:
    (problem,) = problems_of(CODES, CODES)
    assert problem.message == "the codes 'colours' is already defined by file1.yaml"


def test_two_mappings_of_one_document_are_named() -> None:
    problems = problems_of(HEAD, HEAD.replace("mapping: m", "mapping: n"))
    assert "maps crm.Thing to mes.Result, as m in file1.yaml does" in problems[0].message


def test_there_is_one_routes_file() -> None:
    routes = "routes: r\nversion: 1\nrelease_when: {released: true}\nto: [{destination: a}]\n"
    (problem,) = problems_of(routes, routes.replace("routes: r", "routes: s"))
    assert problem.message == "these are second routes beside those of file1.yaml"
