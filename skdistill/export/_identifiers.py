"""Identifiers of C from the names of columns, which are data and may be any text."""

import re
from collections.abc import Iterable

KEYWORDS = frozenset(
    [
        "alignas",
        "alignof",
        "and",
        "and_eq",
        "asm",
        "auto",
        "bitand",
        "bitor",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "compl",
        "complex",
        "const",
        "const_cast",
        "constexpr",
        "continue",
        "decltype",
        "default",
        "delete",
        "do",
        "double",
        "dynamic_cast",
        "else",
        "enum",
        "explicit",
        "export",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "imaginary",
        "inline",
        "int",
        "long",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not",
        "not_eq",
        "nullptr",
        "operator",
        "or",
        "or_eq",
        "private",
        "protected",
        "public",
        "register",
        "reinterpret_cast",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "static_assert",
        "static_cast",
        "struct",
        "switch",
        "template",
        "this",
        "thread_local",
        "throw",
        "true",
        "try",
        "typedef",
        "typeid",
        "typename",
        "typeof",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "wchar_t",
        "while",
        "xor",
        "xor_eq",
    ]
)
"""Words of C and C++ that are no names of fields."""

MACROS = frozenset(
    [
        "linux",
        "unix",
        "i386",
        "vax",
        "sun",
        "INFINITY",
        "NAN",
        "NULL",
        "EOF",
        "errno",
        "stdin",
        "stdout",
        "stderr",
        "math_errhandling",
        "MAXFLOAT",
        "NSIG",
        "DOMAIN",
        "SING",
        "OVERFLOW",
        "UNDERFLOW",
        "PLOSS",
        "TLOSS",
    ]
)
"""Names that compilers and common headers define as macros."""

MACROS_OF_HEADERS = re.compile(
    r"[A-Z0-9_]+_(MIN|MAX|WIDTH)|(M|FP|MATH|HUGE|SNAN|FLT|DBL|LDBL)_\w+|SNAN\w*|HUGE|X_TLOSS", flags=re.ASCII
)
"""Names like those of the macros of limits and of the mathematical library."""


def is_identifier(name: object) -> bool:
    """Whether a text is an identifier in C that is no keyword and is not reserved."""
    is_name = isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,40}", name) is not None
    return is_name and name not in KEYWORDS | MACROS and MACROS_OF_HEADERS.fullmatch(str(name)) is None


def field_names(names: Iterable[str]) -> list[str]:
    """Return a distinct identifier for each name: letters, digits and underscores, with a number if it occurs twice."""
    found: dict[str, None] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9]+", "_", name)[:40].strip("_")
        if not is_identifier(plain):
            plain = f"x_{plain}" if plain else "x"
        field, count = plain, 1
        while field in found:
            count += 1
            field = f"{plain}_{count}"
        found[field] = None
    return list(found)
