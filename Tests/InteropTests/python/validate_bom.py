#!/usr/bin/env python3
"""Validates bills of materials against CycloneDX 1.6, strictly: unknown members and malformed values are errors.

usage: validate_bom.py FILE...        exit status 0 when every file is valid
"""
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> int:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    errors = 0
    for name in sys.argv[1:]:
        error = validator.validate_str(pathlib.Path(name).read_text(encoding="utf-8"))
        errors += error is not None
        print(f"{'ok' if error is None else 'INVALID':8} {name} {error or ''}".rstrip())
    return 1 if errors or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
