"""The command line: one file per command, each parses, makes one library call and renders."""


def main() -> None:
    """Run `evenhand` on the arguments of this process; the entry point of the package."""
    from evenhand.cli.ending import listening

    with listening():
        from evenhand.cli.app import app

        app(prog_name="evenhand")
