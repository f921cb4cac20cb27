"""`tlcourse` and `python -m tlcourse`, which are the same from here on."""

import gc
import sys

FEW_COLLECTIONS = 50_000
"""Objects after which Python looks for garbage: a start makes many, which nearly all stay (with its 700, a sixth of
the time that a light command takes)."""


def main() -> None:
    """Run the command line, importing nothing from the folder in which this process was started."""
    gc.set_threshold(FEW_COLLECTIONS)
    from tlcourse.own_process import leave_working_folder

    leave_working_folder()
    from tlcourse.cli.main import main as run

    run()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # where `python -m tlcourse` was started; what `-m` itself has imported by now, it has
    main()
