"""Counts the results that lit wrote with --output and prints them as the closing line of scripts/test."""

import json
import re
import sys

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


def main(argv):
    if len(argv) != 2:
        print("usage: summarize_tests.py RESULTS.json", file=sys.stderr)
        return 2
    try:
        with open(argv[1], encoding="utf-8") as file:
            tests = json.load(file)["tests"]
    except (OSError, ValueError, KeyError) as error:
        print(f"error: no test results in {argv[1]}: {error}", file=sys.stderr)
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
