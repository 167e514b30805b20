"""Counts the results that lit wrote with --output, and pytest with --junitxml, and prints them as the closing line of
scripts/test."""

import json
import re
import sys
import xml.etree.ElementTree

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
SKIPPED = {"UNSUPPORTED", "SKIPPED"}


def skip_reason(test):
    """What lit said about a skipped test, in a few words."""
    text = test.get("output", "")
    match = re.search(r"unavailable features: (.*)", text) or re.search(r"unsupported.*features?: (.*)", text)
    if match:
        return "needs " + match.group(1).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else test["code"].lower()


def read_pytest(path):
    """The cases of a JUnit file as lit writes its tests."""
    tests = []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        skipped, failed = case.find("skipped"), case.find("failure") is not None or case.find("error") is not None
        tests.append(
            {
                "name": f"{case.get('classname')}::{case.get('name')}",
                "code": "FAIL" if failed else "PASS" if skipped is None else "SKIPPED",
                "output": "" if skipped is None else skipped.get("message", ""),
            }
        )
    return tests


def main(argv):
    if len(argv) not in (2, 3):
        print("usage: summarize_tests.py RESULTS.json [PYTEST.xml]", file=sys.stderr)
        return 2
    try:
        with open(argv[1], encoding="utf-8") as file:
            tests = json.load(file)["tests"]
        for path in argv[2:]:
            tests += read_pytest(path)
    except (OSError, ValueError, KeyError, xml.etree.ElementTree.ParseError) as error:
        print(f"error: no test results in {' and '.join(argv[1:])}: {error}", file=sys.stderr)
        return 1

    tests = [test for test in tests if test["code"] != "EXCLUDED"]  # left out by a --filter on the command line
    passed = [test for test in tests if test["code"] in PASSED]
    skipped = [test for test in tests if test["code"] in SKIPPED]
    failed = [test for test in tests if test["code"] not in PASSED | SKIPPED]
    for test in skipped:
        print(f"skipped: {test['name']}: {skip_reason(test)}")
    for test in failed:
        print(f"failed: {test['name']} ({test['code']})")
    line = f"{len(passed)} passed, {len(failed)} failed"
    if skipped:
        line += f", {len(skipped)} skipped"
    print(line)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
