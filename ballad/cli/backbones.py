"""``backbones``: what can be named with ``--backbone`` and ``backbone.pretrained``."""

import argparse

from ballad.cli.tables import print_table


def add_commands(commands: argparse._SubParsersAction) -> None:
    backbones = commands.add_parser("backbones", help="list open_clip's architectures and weights")
    backbones.add_argument("search", nargs="?", default="", metavar="TEXT", help="only names that contain this text")
    backbones.set_defaults(command=_backbones)


def _backbones(options: argparse.Namespace) -> None:
    from ballad.model.catalogue import list_backbones

    found = list_backbones(options.search)
    rows = [
        [
            row.architecture,
            row.tag,
            _millions(row.image_parameters),
            _millions(row.text_parameters),
            row.embed_dim,
            row.image_size,
            "yes" if row.on_disk else "no",
        ]
        for row in found.itertuples()
    ]
    columns = ["architecture", "weights", "image tower, M", "text tower, M", "d", "pixels", "on disk"]
    print_table("backbones", columns, rows, numbers=5)


def _millions(parameters: float | None) -> str | None:
    return None if parameters is None or parameters != parameters else f"{parameters / 1e6:.1f}"
