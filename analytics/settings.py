"""Where things lie: the project, its data folder, and the store."""

import os
from pathlib import Path

PROJECT_ROOT: Path = Path(__file__).resolve().parent.parent
DATA_FOLDER: Path = PROJECT_ROOT / "data"
"""Opened, never imported: mappings and lists of the project, and `local/` with the data of this machine."""


def store_folder(option: str | Path | None = None) -> Path:
    """Folder of snapshots, as an absolute path; it need not exist yet.

    Parameters
    ----------
    option
        What the person typed after `--store`; it wins. None or empty: the environment variable `IOP_STORE`,
        and without that `data/local` in the project. A relative path counts from the current folder.
    """
    chosen = option or os.environ.get("IOP_STORE") or DATA_FOLDER / "local"
    return Path(chosen).expanduser().absolute()


def instruments_folder() -> Path:
    """Folder of the program's own instruments, one TOML each (docs/questionnaires.md); it need not exist.

    The environment variable `IOP_INSTRUMENTS`, and without that `data/instruments` in the project.
    """
    return Path(os.environ.get("IOP_INSTRUMENTS") or DATA_FOLDER / "instruments").expanduser().absolute()
