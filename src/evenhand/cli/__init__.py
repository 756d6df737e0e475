"""The command line: one file per command, which parses, makes one library call and shows."""


def main() -> None:
    """Run `evenhand` and end this process; the entry point of the package."""
    code = run()

    from evenhand.cli.ending import leave

    leave(code)


def run() -> int:
    """Run `evenhand` on the arguments of this process and return its exit code."""
    from evenhand.cli.ending import exit_code, listening

    try:
        with listening():
            from evenhand.cli.app import app

            app(prog_name="evenhand")
    except SystemExit as ended:
        return exit_code(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
    return 0
