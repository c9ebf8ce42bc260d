"""``doctor``: what this machine has and lacks, and whether zero-shot accuracy is what is published."""

import argparse

SIGNS = {"ok": "✓", "missing": "–", "wrong": "✗", "skipped": "·"}


def add_commands(commands: argparse._SubParsersAction) -> None:
    doctor = commands.add_parser("doctor", help="check this machine: libraries, devices, datasets and backbones")
    doctor.add_argument(
        "--quick", action="store_true", help="skip measuring zero-shot accuracy, which can take minutes"
    )
    doctor.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    """Exit code 1 if something is wrong; something merely absent is not an error."""
    from ballad.doctor import examine
    from ballad.home import default_home

    wrong = 0
    for finding in examine(default_home(), measure=not options.quick):
        wrong += finding.state == "wrong"
        print(f"{SIGNS[finding.state]} {finding.subject:24} {finding.message}", flush=True)
    print(f"{wrong} wrong." if wrong else "Nothing is wrong; – means not present, · means skipped.")
    return 1 if wrong else 0
